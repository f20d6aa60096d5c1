"""The registries find components at the first look-up, for the hosts that are installed."""

import subprocess
import sys


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_a_host_that_is_absent_is_left_out():
    code = """
import importlib.util, sys
find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "mmdet" else find_spec(name, *rest)
import noisyseg.integration.components
print("noisyseg.integration.detection" in sys.modules, "noisyseg.integration.segmentation" in sys.modules)
"""
    assert run_python(code)[-2:] == ["False", "True"]


def test_the_package_itself_loads_no_host():
    code = """
import sys, noisyseg.integration
print([name for name in ("torch", "mmcv", "mmdet", "mmseg") if name in sys.modules])
"""
    assert run_python(code) == ["[]"]


def test_the_first_look_up_loads_the_components():
    code = """
import sys, noisyseg.registry
print("noisyseg.integration.components" in sys.modules)
noisyseg.registry.TRANSFORMS.get("no_such_transform")
print("noisyseg.integration.components" in sys.modules)
"""
    output = run_python(code)
    assert (output[0], output[-1]) == ("False", "True")
