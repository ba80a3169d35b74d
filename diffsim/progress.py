"""A progress bar with steps per second and time left, quiet when not on a terminal."""

from __future__ import annotations

import sys


class Bar:
    """Follows a run by its steps, or by its time where the number of steps is not known."""

    def __init__(self, plan, progress: bool | None):
        self.bar, self.plan, self.last = None, plan, 0
        if progress is False or not sys.stderr.isatty():
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
        if self.bar is None:
            return
        now = abs(float(carry.t) - self.plan.t0) if self.plan.adapted else int(carry.n)
        self.bar.set_postfix_str(f"t={float(carry.t):.6g}", refresh=False)
        self.bar.update(now - self.last)
        self.last = now

    def close(self):
        """End the line."""
        if self.bar is not None:
            self.bar.close()
