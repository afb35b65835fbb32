#!/bin/sh
exec cat /srv/site/"$1"
