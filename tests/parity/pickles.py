"""Small files as torch.save writes them, for the tests of models/src/weights/pickle_file.rs.

Run: python tests/parity/pickles.py
"""

from collections import OrderedDict
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent.parent.parent / "models/src/weights/testdata"


def tensors():
    base = torch.arange(12, dtype=torch.float32) / 4
    return OrderedDict(
        matrix=base[:6].reshape(2, 3).clone(),
        transposed=torch.arange(6, dtype=torch.float32).reshape(2, 3).t(),
        shared=base[4:8],
        also_shared=base[8:],
        half=torch.tensor([1.0, -0.5], dtype=torch.float16),
        brain=torch.tensor([1.0, -0.5], dtype=torch.bfloat16),
        double=torch.tensor([1.0, -0.5], dtype=torch.float64),
        parameter=torch.nn.Parameter(torch.tensor([[2.0, 3.0]])),
        scalar=torch.tensor(7.0),
        index=torch.arange(4),
    )


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    torch.save(tensors(), HERE / "archive.pt")
    torch.save(tensors(), HERE / "old.pt", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "state_dict": tensors()}, HERE / "nested.pt")
    torch.save([1, 2, 3], HERE / "list.pt")
