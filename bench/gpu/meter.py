"""What the device does while it is measured: SM clock and power, by NVML, and
the time of each kernel, by torch's profiler.

NVML is a part of the driver; it is called through ctypes, so that a benchmark
needs torch alone. Without it clocks and power are not reported.
"""

import ctypes
import statistics
import threading
import time

# nvmlClockType_t
SM_CLOCK = 1


class Meter:
    """Samples clock (MHz) and power (W) every 2 ms, by the name of what runs.

    `with Meter(0) as meter: meter.current = "ours"; ...` and then
    `meter.medians()` -> {"ours": {"sm_clock_mhz": ..., "power_w": ...}}.
    """

    def __init__(self, device):
        self.current, self.samples, self.stop = None, {}, threading.Event()
        try:
            self.nvml = ctypes.CDLL("libnvidia-ml.so.1")
            self.handle = ctypes.c_void_p()
            if (self.nvml.nvmlInit_v2() or
                    self.nvml.nvmlDeviceGetHandleByIndex_v2(
                        device, ctypes.byref(self.handle))):
                self.nvml = None
        except OSError:
            self.nvml = None

    def sample(self):
        clock, power = ctypes.c_uint(), ctypes.c_uint()
        while not self.stop.is_set():
            name = self.current
            if (name and not self.nvml.nvmlDeviceGetClockInfo(
                    self.handle, SM_CLOCK, ctypes.byref(clock)) and
                    not self.nvml.nvmlDeviceGetPowerUsage(
                        self.handle, ctypes.byref(power))):
                self.samples.setdefault(name, []).append(
                    (clock.value, power.value / 1000))
            time.sleep(0.002)

    def __enter__(self):
        if self.nvml:
            self.thread = threading.Thread(target=self.sample, daemon=True)
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        if self.nvml:
            self.thread.join()

    def medians(self):
        return {name: {"sm_clock_mhz": statistics.median(s[0] for s in samples),
                       "power_w": statistics.median(s[1] for s in samples)}
                for name, samples in self.samples.items()}


def host_time(bound, runs=50):
    """Median us that the host takes to enqueue a run, the device idle: `bound`
    is what Plan.bind gives."""
    import torch
    times = []
    for _ in range(runs):
        torch.cuda.synchronize()
        start = time.perf_counter()
        bound()
        times.append((time.perf_counter() - start) * 1e6)
    torch.cuda.synchronize()
    return statistics.median(times)


def kernel_times(run):
    """Times of one run by kernel, longest first, from the device's own clock:
    ([{"kernel", "launches", "ms"}], ms in which no kernel ran).

    The profiler adds to the time between kernels, so that one is an upper bound.
    """
    import torch
    from torch.profiler import ProfilerActivity, profile
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        run()
        torch.cuda.synchronize()
    spans = [(event.time_range.start, event.time_range.end, event.name)
             for event in profiler.events()
             if event.device_type == torch.autograd.DeviceType.CUDA]
    return sum_spans(spans)


def median_kernel_times(functions, runs):
    """Medians over `runs` runs of `functions` in turn: [{"kernel", "launches",
    "ms"}] of the kernels of most of them, longest first. One profile alone may
    lack a record."""
    found = {}
    for i in range(runs):
        for entry in kernel_times(functions[i % len(functions)])[0]:
            found.setdefault(entry["kernel"], []).append(entry)
    kernels = [{"kernel": name,
                "launches": statistics.median_high(e["launches"] for e in entries),
                "ms": statistics.median(e["ms"] for e in entries)}
               for name, entries in found.items() if 2 * len(entries) > runs]
    return sorted(kernels, key=lambda entry: -entry["ms"])


def sum_spans(spans):
    """`spans` are (begin us, end us, name) -> as kernel_times."""
    kernels, covered, end = {}, 0.0, float("-inf")
    for begin, stop, name in sorted(spans):
        entry = kernels.setdefault(name, {"kernel": name, "launches": 0, "ms": 0.0})
        entry["launches"] += 1
        entry["ms"] += (stop - begin) / 1000
        covered += max(0.0, stop - max(begin, end))
        end = max(end, stop)
    whole = end - min(span[0] for span in spans) if spans else 0.0
    return (sorted(kernels.values(), key=lambda entry: -entry["ms"]),
            (whole - covered) / 1000)
