# Sourced by each job before its command: our code travels as a wheel, everything else is in the image.
python3 -m zipfile -e results/code/anisweep-*.whl code
export PYTHONPATH="$PWD/code"

anisweep() {
    python3 -m anisweep "$@"
}
export -f anisweep
