"""One run, seen from the host: calls of the compiled march, with records, files, progress and limits in between."""

from __future__ import annotations

import signal
import threading
import time

import numpy as np
import tensorflow as tf

from diffsim import _nest, _tree, names
from diffsim.march import PIECES, SMALL, STOPPED, Carry, Parts, Pieces, program
from diffsim.save import SaveAt, keep_state
from diffsim.schedule import Schedule
from diffsim.solution import Solution, Status

RECORD_BYTES = 64 << 20  # records of one call stay below this where they can
CHECKPOINT_SECONDS = 10.0  # a run that is killed loses no more
CALL_SECONDS = 1.0  # how long a call should take: progress, limits and files are looked after in between


class Run:
    """The mutable state of one `solve`."""

    def __init__(self, parts: Parts, plan: Schedule, save: SaveAt, key, jit: bool, info: dict, named=None):
        self.parts, self.plan, self.save, self.key, self.jit, self.info = parts, plan, save, key, jit, info
        self.named = named if parts.fn is keep_state else names.of_function(parts.fn)  # of a record
        self.times: list[np.ndarray] = []
        self.records: list = []
        self.recorder = None
        self.count = 0  # records made
        self.chunk = 1 if parts.stepper.strides else 256  # steps in the next call
        self.complaint = None  # why the state is not finite, if the stepper knows
        self.saved_at = time.perf_counter()

    def start(self, y0):
        """Trace the program and take the stepper's and controller's first memory."""
        self._flatten(y0)
        t0 = tf.constant(self.plan.t0, tf.float64)
        direction = tf.constant(1.0 if self.plan.t1 > self.plan.t0 else -1.0, tf.float64)
        memory, control = program(self.structure, 0, self.jit, True)(self.leaves, y0, t0, direction)
        zero = tf.constant(0, tf.int64)
        self.carry = Carry(zero, t0, y0, memory, control, zero, tf.constant(0))
        self.pending = self.plan.pieces()
        if self.plan.save_start:
            record = self.parts.fn(tf.cast(t0, _nest.real_dtype(y0)), y0)
            self._first = _nest.map(lambda a: tf.convert_to_tensor(a)[None], record)
        else:
            self._first = None

    def _flatten(self, y):
        leaves, self.structure = _tree.flatten(self.parts)
        self.leaves = _tree.as_tensors(leaves, _nest.real_dtype(y))
        size = sum(leaf.shape.num_elements() * leaf.dtype.size for leaf in _nest.flatten(y))
        wanted = self.plan.records
        room = max(1, RECORD_BYTES // size) if self.parts.fn is keep_state else PIECES
        self.slots = (
            0 if self.only_final else next((s for s in (1, 16) if s >= min(wanted, room)), min(PIECES, max(16, room)))
        )

    @property
    def only_final(self) -> bool:
        """Whether the one record is the final state, which the carry holds anyway."""
        return self.parts.fn is keep_state and self.plan.records == 1 and bool(self.plan.saves[-1])

    def resume_from(self, recorder, carry, request: dict, fresh: bool):
        """Go on from a checkpoint; `fresh` if the schedule begins where the run had ended."""
        self.recorder, self.request, self.count = recorder, request, recorder.count
        if self.count:
            self._first = None
        self.carry = _nest.pack(self.carry, [tf.constant(a) for a in carry])
        self.pending = self.plan.pieces() if fresh else self.plan.pieces(int(self.carry.n), float(self.carry.t))

    def record_to(self, path, law, request: dict):
        """Stream records to an HDF5 file; `request` is what `resume` needs besides the law."""
        from diffsim.equation import grid_of
        from diffsim.io import Recorder  # h5py only where files are written

        like = (
            _nest.map(lambda a: a[0], self._first)
            if self._first is not None
            else self.parts.fn(tf.cast(self.carry.t, _nest.real_dtype(self.carry.y)), self.carry.y)
        )
        self.request = request
        grid = grid_of(self.parts.law.linear) or getattr(law, "grid", None) or getattr(law.drift, "grid", None)
        self.recorder = Recorder.create(
            path, law=law, grid=grid, y_like=_nest.map(np.asarray, like), info={**self.info, **request},
            named=self.named,
        )

    def to_end(self, seconds, progress, max_steps) -> Solution:
        """March until the schedule is done or something stops the run."""
        from diffsim.progress import Bar

        began, status = time.perf_counter(), None
        bar = Bar(self.plan, progress)
        if self._first is not None:
            self._keep(np.array([self.plan.t0]), self._first)
        self.pieces = next(self.pending, None)
        with _Patience() as asked:
            while status is None and self.pieces is not None and not asked.to_stop:
                limit = self.chunk
                if max_steps is not None:
                    limit = min(limit, max_steps - self._attempts())
                    if limit <= 0:
                        status = Status.MAX_STEPS
                        break
                status = self._call(limit)
                bar.update(self.carry)
                if status is None and seconds is not None and time.perf_counter() - began > seconds:
                    status = Status.WALL_CLOCK
        if asked.to_stop and status is None:
            status = Status.INTERRUPTED
        bar.close(self.carry)
        return self._solution(status or Status.DONE)

    def _attempts(self) -> int:
        return int(self.carry.n) + int(self.carry.rejected)

    def _call(self, limit):
        """One call of the march; None while the run goes on."""
        block, rest = self._block(limit)
        before, began = self.carry, time.perf_counter()
        carry, arrays, done, finite = self._march(before, block, limit)
        status = int(carry.status)
        took = time.perf_counter() - began
        if not bool(finite):
            self.complaint = self.parts.stepper.complaint(self.parts.law, carry.memory)
            self._last_good(before, block, limit)
            return Status.NON_FINITE
        self.info.setdefault("first_call_s", took)
        if took < CALL_SECONDS / 2 and self.chunk < 1 << 40:
            self.chunk = int(self.chunk * min(8.0, max(2.0, 0.5 * CALL_SECONDS / max(took, 1e-4))))
        self.carry, done = carry, int(done)
        ends = [p.end for p in block[:done] if p.save]
        if self.only_final and ends:
            self._keep(np.array(ends), _nest.map(lambda a: a[None], carry.y))
        else:
            self._keep_some(ends, arrays)
        if self.recorder is not None and time.perf_counter() - self.saved_at > CHECKPOINT_SECONDS:
            self._checkpoint()
        left = block[done:]
        self.pieces = left[0] if left else rest
        if left and rest is not None:
            self.pending = _chain([*left[1:], rest], self.pending)
        elif left:
            self.pending = _chain(left[1:], self.pending)
        return {STOPPED: getattr(self.parts.stop, "status", None), SMALL: Status.SMALL_STEP}.get(status)

    def _block(self, limit):
        """Pieces for one call: at most `limit` steps, PIECES pieces and as many records as there are slots."""
        block, steps, due, piece = [], 0, 0, self.pieces
        while piece is not None and len(block) < PIECES and (due < max(self.slots, 1)):
            if not self.plan.adapted:
                room = limit - steps
                if room <= 0:
                    break
                if piece.last - piece.first > room:
                    cut = piece.first + room
                    block.append(piece._replace(last=cut, end=piece.base + cut * piece.h, save=False))
                    return block, piece._replace(first=cut)
                steps += piece.last - piece.first
            block.append(piece)
            due += piece.save
            piece = next(self.pending, None)
        return block, piece

    def _march(self, carry, block, budget):
        padded = block + [block[-1]] * (PIECES - len(block))
        pieces = Pieces(
            tf.constant([p.base for p in padded], tf.float64),
            tf.constant([p.h for p in padded], tf.float64),
            tf.constant([p.first for p in padded], tf.int64),
            tf.constant([p.last for p in padded], tf.int64),
            tf.constant([p.end for p in padded], tf.float64),
            tf.constant([p.save for p in padded]),
            tf.constant(len(block), tf.int32),
        )
        run = program(self.structure, self.slots, self.jit, False)
        return run(self.leaves, carry, pieces, tf.constant(budget, tf.int64), self.key)

    def _last_good(self, good, block, limit):
        """March again from the last good state to find the last finite step, by bisection; steps are reproducible."""
        while limit > 1 and block:
            half = limit // 2
            self.pieces, self.pending = block[0], iter(block[1:])
            part, rest = self._block(half)
            carry, arrays, done, finite = self._march(good, part, half)
            if bool(finite):
                self.carry = carry  # checkpoints belong to the records before them
                self._keep_some([p.end for p in part[: int(done)] if p.save], arrays)
                good, block, limit = carry, [*part[int(done) :], *([rest] if rest else []), *self.pending], limit - half
            else:
                block, limit = part, half
        self.carry = good

    def _keep_some(self, ends, arrays):
        """The first len(ends) slots of a call."""
        if self.slots and ends:
            self._keep(np.array(ends), _nest.map(lambda a: a[: len(ends)], arrays))

    def _keep(self, times, records):
        self.count += times.size
        if self.recorder is None:
            self.times.append(times)
            self.records.append(records)
            return
        self.recorder.append(times, _nest.map(np.asarray, records))
        self._checkpoint()

    def _checkpoint(self):
        carry = [np.asarray(leaf) for leaf in _nest.flatten(tuple(self.carry))]
        self.recorder.checkpoint(carry, self.request)
        self.recorder.publish()
        self.saved_at = time.perf_counter()

    def _solution(self, status) -> Solution:
        self.info["status"] = status.value
        if not self.count and self.only_final and status is not Status.NON_FINITE:
            self._keep(np.array([float(self.carry.t)]), _nest.map(lambda a: a[None], self.carry.y))
        t, y = np.zeros(0), None
        if self.recorder is not None:
            if status is not Status.NON_FINITE:
                self._checkpoint()
            self.recorder.close(status.name)
            if self.count or status is not Status.NON_FINITE:
                from diffsim.io.run import stored

                t, y = stored(self.save.to)
        elif self.records:
            t = np.concatenate(self.times)
            y = _nest.map(lambda *parts: parts[0] if len(parts) == 1 else tf.concat(parts, 0), *self.records)
        c = self.carry
        fate, seen = self.parts.stepper.fate(c.memory), self.parts.stepper.seen(c.memory)
        named = names.of(y, self.named) if y is not None else ()
        return Solution(t, y, c.y, float(c.t), int(c.n), int(c.rejected), status, self.info, fate, seen, named)


class _Patience:
    """Lets the first Ctrl-C wait until a call has ended and its records are kept; the second one does not wait."""

    def __enter__(self):
        self.to_stop, self.before = False, None
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self.before = signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number, frame):
        self.to_stop = True
        signal.signal(signal.SIGINT, self.before)

    def __exit__(self, kind, error, trace):
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)
        self.to_stop = self.to_stop or kind is KeyboardInterrupt
        return kind is KeyboardInterrupt


def _chain(first, rest):
    yield from first
    yield from rest
