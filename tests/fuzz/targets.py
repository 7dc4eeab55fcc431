"""Every reader that has a fuzzer."""

from __future__ import annotations

from fuzz import archive, artifact, command_line, dump, event_log, study, xyz

TARGETS = {
    module.TARGET.name: module.TARGET
    for module in (study, xyz, dump, archive, artifact, event_log, command_line)
}
