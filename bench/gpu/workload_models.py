"""The workloads of runtime/core/workload.h, by name."""

# name -> (correlation, shared row, slow local walk)
WORKLOADS = {
    "independent": (0.0, False, False),
    "rho90": (0.90, False, False),
    "rho98": (0.98, False, False),
    "shared_rho95": (0.95, True, False),
    "shared_rho99": (0.99, True, False),
    "local_rho98": (0.98, False, True),
    "local_shared_rho98": (0.98, True, True),
}
