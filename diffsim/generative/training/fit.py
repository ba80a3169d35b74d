"""`fit`: a network learns to denoise, on Keras's own training loop and any of its backends."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from diffsim import _checks, random
from diffsim.generative.training import choices, intake
from diffsim.generative.training.checkpoint import Checkpoint, named
from diffsim.generative.training.draws import Draws, batches
from diffsim.generative.training.line import Line
from diffsim.generative.training.loss import Matching
from diffsim.generative.training.together import together
from diffsim.generative.training.trainer import EMA, Average, Trainer
from diffsim.generative.training.weights import describe


class Trained(NamedTuple):
    """What comes out of training.

    Attributes:
        network: after the last step.
        average: the same with the running mean of its weights: sample with this one.
        steps: (m,), numbers of steps at which the loss was noted.
        losses: (m,), mean loss of the steps up to there.
    """

    network: keras.Model
    average: keras.Model
    steps: np.ndarray
    losses: np.ndarray


def fit(
    network,
    data,
    schedule,
    *,
    steps: int,
    key,
    loss=Matching(),  # noqa: B008 - frozen
    levels=None,
    batch: int = 64,
    labels=None,
    context=None,
    drop: float = 0.1,
    span=(-1.0, 1.0),
    optimizer=None,
    average: Average = EMA(),  # noqa: B008
    every: int = 100,
    checkpoint=None,
    sheet=None,
    callbacks=(),
    progress: bool | None = None,
    jit: bool | None = None,
) -> Trained:
    """min E w |F(αx₀ + σε, t) − target|², step by step on batches that are functions of (key, step).

    Because nothing else decides a batch, a run resumed from its checkpoint takes the same steps as one that was not
    broken off, bit for bit on a CPU. Under `tf.distribute`, make the network and call `fit` within `strategy.scope()`.

    Args:
        network: of `generative.nets`, trained in place.
        data: x₀, (n, *shape), images between −1 and 1; or a function of (key, step) that returns tensors {"x0":
            (batch, *shape), "label": (batch,), "context": (batch, m, width)}, such as samples in random places.
        schedule: how noise is added.
        steps: how many, those of a checkpoint included.
        key: of all that is random.
        loss: Matching(predict, weight), Preconditioned(s) or Hybrid().
        levels: Uniform(), LogNormal(), Steps() or Importance(); None: what the loss prefers.
        batch: samples for each step.
        labels: (n,) integers from 0; a network made with labels is not trained without.
        context: (n, m, width) embeddings; the same holds for them.
        drop: how often labels and context are left out, for guidance without a classifier.
        span: where images lie; another range is warned of, and vectors ten times as far out. None: anywhere.
        optimizer: a new one of Keras; None: Adam, the rate rising to 2·10⁻³ and falling along a cosine to 0 at the
            end, gradients clipped to norm 1.
        average: EMA(decay) or PowerEMA(width).
        every: after how many steps the loss is noted, a checkpoint written and a sheet drawn.
        checkpoint: name of an HDF5 file, "….h5" in a folder that exists; if it exists, training goes on from it.
        sheet: a function (network, step), called with the averaged network, such as `Sheet`.
        callbacks: of Keras; an epoch is `every` steps. One that stops the training is obeyed.
        progress: True: lines where no terminal is; False: silent.
        jit: compile by XLA, which takes some seconds and makes steps shorter; None: unless a CPU is to compute in half
            precision, for which TensorFlow's own kernels are better.

    Returns:
        Trained, with network, average, steps, losses.

    Raises:
        TypeError, ValueError: data that are not finite or do not fit, unknown labels or none for a network that was
            made for them, a schedule or loss that does not go with the network, or a checkpoint of another training.
        FileNotFoundError: no folder to write the checkpoint to.
    """
    steps = _checks.integer("steps", steps, least=1, why="training takes steps")
    every = _checks.integer("every", every, least=1, why="it counts steps")
    batch = _checks.integer("batch", batch, least=1, why="a step looks at samples")
    if not 0 <= _checks.number("drop", drop, why="it is a share") <= 1:
        _checks.refuse("drop", drop, "0 ≤ drop ≤ 1", "it is a share", "Use 0.1.")
    choices.check(network, schedule, loss, levels, average, optimizer, callbacks, sheet, span, progress)
    choices.fits(network, schedule, loss)
    name = None if checkpoint is None else named(checkpoint)
    levels = loss.levels if levels is None else levels
    levels.check(schedule)
    arrays = intake.arrays(network, data, labels, context, span, network.dtype_policy.variable_dtype)
    draws = Draws(arrays, schedule, levels, loss.time, network.labels, drop, batch, random.fold_in(key, 0))
    if callable(arrays):
        intake.batch(network, draws.example(), span)
    draw = tf.function(draws.batch)
    remember = levels.times(schedule)
    trainer = Trainer(network, loss, average, remember, getattr(levels, "history", 1))
    optimizer = _adam(steps) if optimizer is None else optimizer
    if not tf.distribute.has_strategy():  # each weight goes its own way to the replicas
        optimizer = together(optimizer, trainer.trainable_variables)
    trainer.compile(optimizer, jit_compile=_compiles(jit, network))
    trainer.optimizer.build(trainer.trainable_variables)
    mean = type(network).from_config(network.get_config())
    file = None if name is None else Checkpoint(name, trainer, _describe(draws, trainer))
    done, notes = (0, []) if file is None else file.restore()
    line = Line(progress, done, steps)

    def noted(done, loss):
        notes.append((done, loss))
        line.update(done, loss)
        _finite(done, loss)
        if file is not None:
            file.write(done, notes)
        if sheet is not None:
            trainer.settle(mean)
            sheet(mean, done)

    while done < steps:
        last = _stretch(done, steps, every, renewed=bool(remember))
        examples = batches(draw, done, last, trainer.memory(renew=done % every == 0))
        begun, length = done // every, min(every, last - done)
        after = Noted(done, length, noted)
        trainer.fit(examples, epochs=begun + (last - done) // length, initial_epoch=begun, steps_per_epoch=length,
                    verbose=0, shuffle=False, callbacks=[*callbacks, after])
        done = last
        if trainer.stop_training:
            break
    line.close()
    trainer.settle(mean)
    at, losses = np.array(notes, np.float64).reshape(-1, 2).T
    return Trained(network, mean, at.astype(int), losses)


class Noted(keras.callbacks.Callback):
    """Calls note(step, loss) after each epoch of `length` steps from step `done` on."""

    def __init__(self, done, length, note):
        super().__init__()
        self.done, self.length, self.note = done, length, note

    def on_epoch_end(self, epoch, logs=None):
        """Note it."""
        self.done += self.length
        self.note(self.done, logs["noted"])


def _stretch(done, steps, every, renewed):
    """How far one call of Keras goes: over all whole epochs to come, or one if draws are renewed after each."""
    whole = (steps - done) // every
    if done % every or not whole:
        return min(done - done % every + every, steps)
    return done + every * (1 if renewed else whole)


def _adam(steps):
    warm = min(200, max(steps // 20, 1))
    rate = keras.optimizers.schedules.CosineDecay(1e-5, steps - warm or 1, 0.0, warmup_target=2e-3, warmup_steps=warm)
    return keras.optimizers.Adam(rate, global_clipnorm=1.0)


def _compiles(jit, network):
    if jit is None:
        half = network.dtype_policy.compute_dtype in ("bfloat16", "float16")
        plain = keras.backend.backend() == "tensorflow" and not tf.config.list_physical_devices("GPU")
        return not (half and plain)
    return _checks.flag("jit", jit, why="training is compiled or not")


def _describe(draws, trainer):
    """What a checkpoint must agree in, to go on."""
    made = {k: v for k, v in trainer.network.get_config().items() if k not in ("name", "seed")}
    state = trainer.optimizer.variables
    data = "a function" if callable(draws.arrays) else {k: v.shape.as_list() for k, v in draws.arrays.items()}
    return {
        "network": repr(made), "data": repr(data), "schedule": describe(draws.schedule),
        "loss": repr(trainer.loss_), "levels": repr(draws.levels), "average": repr(trainer.rule),
        "batch": repr((draws.size, draws.drop)), "key": repr(draws.key.numpy().tolist()),
        "optimizer": f"{sum(int(np.prod(v.shape)) for v in state)} numbers in {len(state)} variables",
    }


def _finite(step, loss):
    if not np.isfinite(loss):
        _checks.refuse("loss", _checks.Verbatim(f"{loss} by step {step}"), "a finite loss",
                       "weights that are not finite stay so", "Take a smaller learning rate, or clip gradients.",
                       FloatingPointError)


