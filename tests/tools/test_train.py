import subprocess
import sys
import time

import pytest


def test_training_writes_checkpoints_to_the_work_dir(trained_dir):
    assert (trained_dir / "iter_2.pth").is_file()
    assert (trained_dir / "last_checkpoint").read_text().endswith("iter_2.pth")


def test_resume_goes_on_from_the_latest_checkpoint(trained_dir, tiny_config, load_tool, tmp_path, capfd):
    resumed = tmp_path / "resumed"
    resumed.mkdir()
    (resumed / "iter_1.pth").write_bytes((trained_dir / "iter_1.pth").read_bytes())
    (resumed / "last_checkpoint").write_text(str(resumed / "iter_1.pth"))
    argv = [
        str(tiny_config),
        "--work-dir",
        str(resumed),
        "--resume",
        "--cfg-options",
        "train_cfg.max_iters=3",
    ]
    assert load_tool("train").main(argv) == 0
    assert (resumed / "iter_3.pth").is_file()
    assert "resumed epoch: 0, iter: 1" in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.py"], "error: config none.py: no such file"),
        (["{config}", "--auto-scale-lr"], "error: --auto-scale-lr: the config has no auto_scale_lr"),
        (["{config}", "--resume", "none.pth"], "error: --resume: no such file: none.pth"),
    ],
)
def test_what_cannot_be_used_ends_with_a_sentence_and_a_status(
    load_tool, tiny_config, tmp_path, capsys, arguments, message
):
    argv = [argument.format(config=tiny_config) for argument in arguments]
    assert load_tool("train").main([*argv, "--work-dir", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tool", ["train", "test", "check_environment"])
def test_help_comes_within_three_seconds(repository, tool):
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, repository / "tools" / f"{tool}.py", "--help"], capture_output=True, check=True
    )
    assert time.perf_counter() - start < 3
    assert b"usage:" in done.stdout


def test_dist_train_hands_its_arguments_to_torchrun_and_train(repository, tmp_path):
    # mmengine's launcher needs a GPU, so the interpreter is replaced by one that shows its arguments.
    interpreter = tmp_path / "python"
    interpreter.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    interpreter.chmod(0o755)
    done = subprocess.run(
        [repository / "tools" / "dist_train.sh", "a config.py", "4", "--amp"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": interpreter, "PORT": "29611"},
        capture_output=True,
        text=True,
        check=True,
    )
    arguments = done.stdout.splitlines()
    assert arguments[:2] == ["-c", "import yapf"]
    assert arguments[2:4] == ["-m", "torch.distributed.run"]
    assert {"--nnodes=1", "--nproc_per_node=4", "--master_port=29611"} <= set(arguments)
    train = repository / "tools" / "train.py"
    assert arguments[-5:] == [str(train), "a config.py", "--launcher", "pytorch", "--amp"]


def test_dist_train_without_arguments_shows_its_usage(repository):
    done = subprocess.run([repository / "tools" / "dist_train.sh"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "usage:" in done.stderr
