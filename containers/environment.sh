# The environment of every job in the image.
export PATH="/opt/anisweep/bin:$PATH"
export PYTHONNOUSERSITE=1
export PYTHONDONTWRITEBYTECODE=1

# The image cannot be written to, and a job has one folder of its own.
scratch="${_CONDOR_SCRATCH_DIR:-${TMPDIR:-/tmp}}"
export XDG_CACHE_HOME="$scratch/.cache"
export MPLCONFIGDIR="$XDG_CACHE_HOME/matplotlib"
export NUMBA_CACHE_DIR="$XDG_CACHE_HOME/numba"
export TORCH_HOME="$XDG_CACHE_HOME/torch"
export TORCHINDUCTOR_CACHE_DIR="$XDG_CACHE_HOME/inductor"
export TRITON_CACHE_DIR="$XDG_CACHE_HOME/triton"
export CUDA_CACHE_PATH="$XDG_CACHE_HOME/cuda"

# Kernels that were compiled with the image; newer ones go to the cache above.
export ANISWEEP_KERNELS=/opt/anisweep/cache/anisweep/kernels

# One thread wherever nobody asked; run-pack sets every variable to what its cells ask for.
for layer in OMP OPENBLAS MKL NUMEXPR BLIS NUMBA RAYON TORCH; do
    eval "export ${layer}_NUM_THREADS=\"\${${layer}_NUM_THREADS:-1}\""
done
unset layer scratch
