"""`fit`: a network learns to denoise, on Keras's own training loop and any of its backends."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from diffsim import _checks, random
from diffsim.generative.training import intake
from diffsim.generative.training.checkpoint import Checkpoint
from diffsim.generative.training.draws import Draws
from diffsim.generative.training.line import Line
from diffsim.generative.training.loss import Matching
from diffsim.generative.training.trainer import EMA, Average, Trainer


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
        labels: (n,) integers from 0.
        context: (n, m, width) embeddings.
        drop: how often labels and context are left out, for guidance without a classifier.
        span: where images lie; another range is warned of. None: anywhere.
        optimizer: of Keras; None: Adam, the rate rising to 2·10⁻³ and falling along a cosine to 0 at the end, gradients
            clipped to norm 1.
        average: EMA(decay) or PowerEMA(width).
        every: after how many steps the loss is noted, a checkpoint written and a sheet drawn.
        checkpoint: name of an HDF5 file; if it exists, training goes on from it.
        sheet: a function (network, step), called with the averaged network, such as `Sheet`.
        callbacks: of Keras; an epoch is `every` steps.
        progress: True: lines where no terminal is; False: silent.
        jit: compile by XLA; None: if there is an accelerator, or another backend than TensorFlow.

    Returns:
        Trained, with network, average, steps, losses.

    Raises:
        TypeError, ValueError: data that are not finite or do not fit, unknown labels, a schedule or loss that does
            not go with the network, or a checkpoint of another training.
    """
    steps = _checks.integer("steps", steps, least=1, why="training takes steps")
    every = _checks.integer("every", every, least=1, why="it counts steps")
    batch = _checks.integer("batch", batch, least=1, why="a step looks at samples")
    if not 0 <= _checks.number("drop", drop, why="it is a share") <= 1:
        _checks.refuse("drop", drop, "0 ≤ drop ≤ 1", "it is a share", "Use 0.1.")
    intake.fits(network, schedule, loss)
    levels = loss.levels if levels is None else levels
    levels.check(schedule)
    arrays = intake.arrays(network, data, labels, context, span, network.dtype_policy.variable_dtype)
    draws = Draws(arrays, schedule, levels, loss.time, network.labels, drop, batch, random.fold_in(key, 0))
    remember = levels.times(schedule)
    trainer = Trainer(network, _twin(network), loss, average, remember, getattr(levels, "history", 1))
    trainer.compile(_adam(steps) if optimizer is None else optimizer, jit_compile=_compiles(jit))
    trainer.optimizer.build(trainer.trainable_variables)
    file = None if checkpoint is None else Checkpoint(checkpoint, trainer, _describe(draws, trainer))
    done, notes = (0, []) if file is None else file.restore()
    line = Line(progress, done, steps)
    while done < steps:
        last = min(done - done % every + every, steps)
        memory = trainer.memory(renew=done % every == 0)
        epoch = done // every
        ran = trainer.fit(draws.batches(done, last, memory), epochs=epoch + 1, initial_epoch=epoch, verbose=0,
                          shuffle=False, callbacks=list(callbacks))
        done = last
        notes = [*notes, (done, ran.history["noted"][-1])]
        line.update(*notes[-1])
        _finite(*notes[-1])
        if file is not None:
            file.write(done, notes)
        if sheet is not None:
            undo = trainer.settle()
            sheet(trainer.average, done)
            undo()
    line.close()
    trainer.settle()
    trainer.average.trainable = True  # for those who go on with it
    at, losses = np.array(notes, np.float64).reshape(-1, 2).T
    return Trained(network, trainer.average, at.astype(int), losses)


def _twin(network):
    """A network of the same make and weights; of several replicas the first says what they are."""

    def creator(make, **kwargs):
        return make(**kwargs | {"aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA})

    with tf.variable_creator_scope(creator):
        twin = type(network).from_config(network.get_config())
    twin.set_weights(network.get_weights())
    return twin


def _adam(steps):
    warm = min(200, max(steps // 20, 1))
    rate = keras.optimizers.schedules.CosineDecay(1e-5, steps - warm or 1, 0.0, warmup_target=2e-3, warmup_steps=warm)
    return keras.optimizers.Adam(rate, global_clipnorm=1.0)


def _compiles(jit):
    if jit is None:
        return keras.backend.backend() != "tensorflow" or bool(tf.config.list_physical_devices("GPU"))
    return _checks.flag("jit", jit, why="training is compiled or not")


def _describe(draws, trainer):
    """What a checkpoint must agree in, to go on."""
    made = {k: v for k, v in trainer.network.get_config().items() if k not in ("name", "seed")}
    data = "a function" if callable(draws.arrays) else {k: v.shape.as_list() for k, v in draws.arrays.items()}
    return {
        "network": repr(made), "data": repr(data), "schedule": repr(draws.schedule),
        "loss": repr(trainer.loss_), "levels": repr(draws.levels), "average": repr(trainer.rule),
        "batch": repr((draws.size, draws.drop)), "key": repr(draws.key.numpy().tolist()),
    }


def _finite(step, loss):
    if not np.isfinite(loss):
        _checks.refuse("loss", _checks.Verbatim(f"{loss} by step {step}"), "a finite loss",
                       "weights that are not finite stay so", "Take a smaller learning rate, or clip gradients.",
                       FloatingPointError)


