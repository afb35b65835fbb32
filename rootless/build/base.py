"""What a stage begins with: the state that its FROM names, and what its base put off for it."""

from rootless.build.around import Around
from rootless.build.containerfile import parse_triggers
from rootless.build.stage_run import StageRun
from rootless.build.stages import Stage
from rootless.build.state import StageState, from_base, onbuild_triggers, scratch
from rootless.image import forms
from rootless.image.names import Image
from rootless.oci.document import MAX_CONFIG_BYTES, parse_document
