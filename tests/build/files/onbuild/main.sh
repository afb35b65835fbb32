#!/bin/sh
echo "$1 $(cat /app/again)"
