import pytest
import torch

from noisyseg.ops import checks


def test_require_raises_with_the_message_on_the_cpu():
    checks.require(torch.tensor(True), lambda: "never made")
    with pytest.raises(ValueError, match="expected 3, not 4"):
        checks.require(torch.tensor(False), lambda: "expected 3, not 4")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_require_reads_nothing_on_cuda():
    torch.cuda.set_sync_debug_mode("error")
    try:
        checks.require(torch.ones((), dtype=torch.bool, device="cuda"), lambda: "never made")
    finally:
        torch.cuda.set_sync_debug_mode("default")
