"""How far training is: a bar on a terminal, lines if they are asked for where none is."""

from __future__ import annotations

import sys
import time

SECONDS = 10.0  # between two lines


class Line:
    """Steps per second, loss and time left."""

    def __init__(self, progress, done, steps):
        self.steps, self.first, self.done, self.bar = steps, done, done, None
        self.began = self.said = time.perf_counter()
        self.lines = progress is True and not sys.stderr.isatty()
        if progress is not False and sys.stderr.isatty():
            from tqdm import tqdm  # imported only where a bar is shown

            self.bar = tqdm(total=steps, initial=done, unit=" steps", delay=0 if progress else 2, dynamic_ncols=True)

    def update(self, done, loss):
        """Say where training is."""
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss={loss:.4g}", refresh=False)
            self.bar.update(done - self.done)
        self.done, now = done, time.perf_counter()
        if self.lines and (now - self.said > SECONDS or done == self.steps):
            rate = (done - self.first) / (now - self.began)
            left = (self.steps - done) / rate
            where = f"step {done:,} of {self.steps:,}, loss {loss:.4g}"
            sys.stderr.write(f"diffsim: {where}, {rate:.3g} steps/s, {left:.0f} s left\n")
            sys.stderr.flush()
            self.said = now

    def close(self):
        """End the bar."""
        if self.bar is not None:
            self.bar.close()
