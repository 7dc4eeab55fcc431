#!/bin/sh
# Installs the lock into /opt/anisweep: the %post of every recipe.
#
# The published anisoap has a part in Rust. A wheel of it in /mnt is taken
# (`apptainer build --bind FOLDER:/mnt`); without one it is built here, and Rust removed again. The C compiler
# stays: a job whose kernels are newer than the image compiles them itself, as the JIT of torch may too.
set -eu

# CHTC's build nodes need it; elsewhere /tmp may be the machine's own, which is open already.
chmod 777 /tmp 2>/dev/null || true

place=/opt/anisweep
lock=$place/lock.txt
export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# The lines of the lock that belong to the packages whose names match $1, or, with `!`, to all others.
blocks() {
    awk -v wanted="$1" -v invert="${2:-}" \
        '/^[a-z0-9]/ { hit = ($0 ~ "^(" wanted ")"); if (invert) hit = !hit } hit' "$lock"
}

# apt drops its privileges, which an ordinary user's build has none of.
debian() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o APT::Sandbox::User=root "$@" >/dev/null
}

install_locked() {
    "$place/bin/pip" install --quiet --require-hashes --no-deps --requirement "$1"
}

build_anisoap() {
    echo "Building the published anisoap with Rust (a minute)."
    debian install -y --no-install-recommends cargo-web
    blocks anisoap== > "$place/anisoap.txt"
    install_locked "$place/anisoap.txt"
    debian purge -y --auto-remove cargo-web
    rm -rf "$HOME/.cargo" "$place/anisoap.txt"
}

# What the builder's own tree has compiled lies beside the sources, and would pass for the image's.
compile_kernels() {
    rm -f "$place"/kernels/*.so
    XDG_CACHE_HOME="$place/cache" python3 -c "
from runpy import run_path
run_path('$place/kernels/loader.py')['compile_kernels']()"
}

python3 -m venv "$place"
debian update
debian install -y --no-install-recommends gcc libc6-dev

# What is installed is written down, and what is written down is tested.
if [ -n "${TORCH_INDEX:-}" ]; then
    torch=$(sed -n 's/^\(torch==[^ ;\\]*\).*/\1/p' "$lock")
    "$place/bin/pip" install --quiet --no-deps --index-url "$TORCH_INDEX" "$torch"
    blocks 'torch==|triton==|nvidia-|cuda-|anisoap==' '!' > "$place/requirements.txt"
else
    blocks 'anisoap==' '!' > "$place/requirements.txt"
fi

echo "Installing $(grep -c '^[a-z0-9]' "$place/requirements.txt") locked packages."
install_locked "$place/requirements.txt"

if ls /mnt/anisoap-*.whl >/dev/null 2>&1; then
    "$place/bin/pip" install --quiet --no-deps --no-index /mnt/anisoap-*.whl
else
    build_anisoap
fi

compile_kernels
debian clean
rm -rf /var/cache/apt/* /var/lib/apt/lists/* "$place/kernels" "$place/install.sh"
