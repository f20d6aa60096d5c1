"""What a training goes back to when a round begins again."""

import pytest

from noisyseg.integration.initial_state import restore_initial_state


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"initial\.pth: the initial weights, which restart=True goes back to"):
        restore_initial_state(None, tmp_path / "initial.pth")
