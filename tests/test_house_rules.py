"""Rules of the house that the source itself can be asked about."""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
LONGEST_MODULE = 400
EMPTY_NAMES = {"utils", "util", "common", "misc", "helpers", "helper"}
SOURCES = sorted(
    path
    for folder in ("noisyseg", "tools", "benchmarks", "configs", "tests")
    for path in (REPOSITORY / folder).rglob("*.py")
    if ".mim" not in path.parts
)
PACKAGE_SOURCES = [path for path in SOURCES if path.is_relative_to(REPOSITORY / "noisyseg")]


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("source", PACKAGE_SOURCES, ids=name)
def test_a_module_is_short_enough_to_read(source):
    assert len(source.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("source", SOURCES, ids=name)
def test_a_file_is_named_for_what_it_holds(source):
    assert source.stem not in EMPTY_NAMES


@pytest.mark.parametrize("source", PACKAGE_SOURCES, ids=name)
def test_randomness_comes_from_a_generator_that_is_passed_in(source):
    tree = ast.parse(source.read_text(encoding="utf-8"))
    found = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "random")
        or (isinstance(node, ast.Call) and re.match(r"(hash|np\.random\.(seed|default_rng))\(", ast.unparse(node)))
    ]
    assert found == []


@pytest.mark.parametrize("source", PACKAGE_SOURCES, ids=name)
def test_input_is_not_checked_by_assert(source):
    tree = ast.parse(source.read_text(encoding="utf-8"))
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)] == []


def test_config_folders_and_files_can_be_named_in_a_base():
    configs = REPOSITORY / "configs"
    wrong = [
        name(path)
        for path in configs.rglob("*.py")
        if "-" in "".join(path.relative_to(configs).parts[:-1]) or "." in path.stem
    ]
    assert wrong == []
