# Stands in for condor/chtc/prologue.sh: a pack that sleeps, and then returns a sound artifact of made-up rows.
anisweep() {
    sleep "${PACK_SECONDS:-2}"
    PYTHONPATH="$(echo results/code/anisweep-*.whl)" python3 - "$2" "$3" <<'END'
import json
import sys
import tempfile
from pathlib import Path

from anisweep.artifacts import writing
from anisweep.cell import Pack
from anisweep.worker.rows import append_row, row_of

pack = Pack.from_json(Path(sys.argv[1]).read_text())
folder = Path(tempfile.mkdtemp())

for cell in pack.cells:
    row = row_of(pack, "cell", cell)
    row.status = "ok"
    append_row(folder, row)

(folder / "pack.json").write_text(pack.to_json())
(folder / "host.json").write_text(json.dumps({"host": "sleeps", "cpu_model": "any", "microarchitecture": "any"}))
(folder / "environment.json").write_text(json.dumps({"digest": pack.cells[0].environment, "versions": {}}))
writing.write(folder, Path(sys.argv[2]))
END
}
