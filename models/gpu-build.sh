#!/usr/bin/env bash
# Builds the program for NVIDIA GPUs, with the CUDA compiler out of PyPI's own wheels where no toolkit is installed.
# Needs no GPU and no driver to build; the program starts only where both are. CUDA_HOME names another toolkit,
# CUDA_COMPUTE_CAP another generation than Hopper (80 Ampere, 89 Ada, 90 Hopper).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD/target/gpu
mkdir -p "$root"

if [ -z "${CUDA_HOME:-}" ]; then
  venv=$root/toolkit
  if [ ! -e "$venv/.complete" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
      nvidia-cuda-nvrtc==13.0.88 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85 nvidia-cublas==13.0.2.14 \
      nvidia-curand==10.4.0.35
    touch "$venv/.complete"
  fi
  CUDA_HOME=$(echo "$venv"/lib/python3*/site-packages/nvidia/cu13)
  # The wheels have versioned libraries in lib only; the linker asks for plain names, build scripts for lib64.
  ln -sfn lib "$CUDA_HOME/lib64"
  for library in cublas cublasLt curand nvrtc cudart; do
    ln -sf "$(basename "$(ls "$CUDA_HOME"/lib/lib$library.so.* | head -1)")" "$CUDA_HOME/lib/lib$library.so"
  done
  # The driver's library comes with the driver: an empty one of its name satisfies the linker.
  echo | "${CC:-cc}" -shared -Wl,-soname,libcuda.so.1 -x c - -o "$CUDA_HOME/lib/libcuda.so"
fi

export CUDA_HOME CUDA_PATH=$CUDA_HOME NVCC=$CUDA_HOME/bin/nvcc PATH=$CUDA_HOME/bin:$PATH
export CUDARC_CUDA_VERSION=${CUDARC_CUDA_VERSION:-13000} CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-90}
export LIBRARY_PATH=$CUDA_HOME/lib${LIBRARY_PATH:+:$LIBRARY_PATH}
# The driver's symbols are resolved where the program starts.
export RUSTFLAGS="${RUSTFLAGS:-} -L native=$CUDA_HOME/lib -C link-arg=-Wl,--unresolved-symbols=ignore-all"
cargo build --release --locked --features cuda --target-dir "$root/build" "$@"
echo "built $root/build/release/thorax for compute capability $CUDA_COMPUTE_CAP"
