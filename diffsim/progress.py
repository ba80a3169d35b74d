"""A progress bar with steps per second and time left; plain lines, if they are asked for, where no terminal is."""

from __future__ import annotations

import sys
import time

SECONDS = 10.0  # between two lines


class Bar:
    """Follows a run by its steps, or by its time where the number of steps is not known."""

    def __init__(self, plan, progress: bool | None):
        self.bar, self.plan, self.last = None, plan, 0
        self.lines, self.began, self.said = False, time.perf_counter(), time.perf_counter()
        if progress is False or not sys.stderr.isatty():
            self.lines = progress is True
            return
        from tqdm import tqdm  # imported only where a bar is shown

        total = abs(plan.t1 - plan.t0) if plan.adapted else plan.steps
        self.bar = tqdm(
            total=total,
            unit="" if plan.adapted else " steps",
            unit_scale=True,
            delay=0 if progress else 2,
            dynamic_ncols=True,
        )

    def update(self, carry):
        """Move the bar to where the run is."""
        if self.lines and time.perf_counter() - self.said > SECONDS:
            self._say(carry)
        if self.bar is None:
            return
        now = abs(float(carry.t) - self.plan.t0) if self.plan.adapted else int(carry.n)
        self.bar.set_postfix_str(f"t={float(carry.t):.6g}", refresh=False)
        self.bar.update(now - self.last)
        self.last = now

    def _say(self, carry):
        self.said = time.perf_counter()
        t, n, plan = float(carry.t), int(carry.n), self.plan
        part, took = (t - plan.t0) / (plan.t1 - plan.t0), self.said - self.began
        left = f", {took * (1 / part - 1):.0f} s left" if 0 < part < 1 else ""
        sys.stderr.write(f"diffsim: t = {t:.6g} ({part:.0%}), {n:,} steps, {took:.0f} s{left}\n")
        sys.stderr.flush()

    def close(self, carry):
        """End the line."""
        if self.lines:
            self._say(carry)
        if self.bar is not None:
            self.bar.close()
