"""The parts of the set-up that can fail in the middle: the Makefile's stamps and the progress display."""

import re
import signal
import subprocess
import time

import pytest


@pytest.fixture
def with_progress(repository):
    return repository / "install" / "with_progress.sh"


def test_success_keeps_the_output_in_the_log(with_progress, tmp_path):
    log = tmp_path / "logs" / "step.log"
    done = subprocess.run([with_progress, log, "echo", "built"], capture_output=True, text=True, check=True)
    assert log.read_text() == "built\n"
    assert done.stderr == ""


def test_failure_passes_the_status_on_and_shows_the_end_of_the_log(with_progress, tmp_path):
    command = [with_progress, tmp_path / "log", "sh", "-c", "echo no such compiler; exit 7"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 7
    assert "no such compiler" in done.stderr
    assert f"full log: {tmp_path / 'log'}" in done.stderr


def test_an_interrupt_stops_the_command_and_what_it_started(with_progress, tmp_path):
    marker = tmp_path / "finished"
    command = [with_progress, tmp_path / "log", "sh", "-c", f"sh -c 'sleep 1.5; touch {marker}'; true"]
    process = subprocess.Popen(command)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 130
    time.sleep(1.5)
    assert not marker.exists()


def test_a_step_that_fails_leaves_no_stamp(repository, tmp_path):
    venv = tmp_path / "venv"
    command = ["make", "-C", repository, "environment", f"VENV={venv}", "PYTHON=false"]
    assert subprocess.run(command, capture_output=True).returncode != 0
    assert not venv.exists()


def test_every_target_is_explained_and_needs_no_file_of_its_name(repository):
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split())
    explained = set(re.findall(r"^#   make ([\w-]+)", makefile, re.MULTILINE))
    assert explained == phony - {"environment"}
    assert {"demo", "test", "lint", "openmmlab", "test-openmmlab"} <= explained
