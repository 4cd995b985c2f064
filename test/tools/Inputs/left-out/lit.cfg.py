# A suite of four tests on a machine that has mules and no horses, for
# lit-left-out.test.

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../.."))
import lit_format

config.name = "left-out"
config.test_format = lit_format.WholeShTest(execute_external=False)
config.suffixes = [".test"]
config.test_exec_root = os.environ["GSA_LEFT_OUT"]
config.available_features.add("mules")
