"""What `fit`, `save` and `load` refuse before anything is traced: what came, what was expected, why, and the way out."""

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim import generative as gen
from diffsim.generative import nets, training
from diffsim.generative.training import intake


@pytest.fixture(scope="module")
def plain():
    return nets.MLP((2,), width=4, depth=1)


@pytest.fixture(scope="module")
def told():
    return nets.UNet((4, 2), (4,), (2,), groups=2, labels=3, context=5)


def fit(network, **given):
    return gen.fit(**{"network": network, "data": np.zeros((4, 2)), "schedule": gen.Cosine(), "steps": 4,
                      "key": ds.key(0), "jit": False} | given)


def used():
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([keras.Variable(np.zeros(2))])
    return optimizer


def gives(x0, **more):
    return lambda key, step: {"x0": x0, **more}


X, C = tf.zeros([4, 2]), np.zeros((4, 2))
CHOICES = {
    "no network": ({"network": None}, "network=None"),
    "a function for a network": ({"network": lambda x, t: x}, "network=<function"),
    "a class for a network": ({"network": nets.MLP}, "network=<class"),
    "another network of Keras": ({"network": keras.Sequential}, "network="),
    "a word for a loss": ({"loss": "v"}, "loss='v'.*Matching"),
    "a class for a loss": ({"loss": training.Matching}, "loss=<class"),
    "a prediction for a loss": ({"loss": training.V()}, "loss="),
    "a word for levels": ({"levels": "uniform"}, "levels='uniform'"),
    "a class for levels": ({"levels": training.Uniform}, "levels="),
    "a word for a sheet": ({"sheet": "x"}, "sheet='x'"),
    "a class for a sheet": ({"sheet": training.Sheet}, "sheet="),
    "a sheet of the network alone": ({"sheet": lambda network: None}, "sheet="),
    "a number for callbacks": ({"callbacks": 3}, "callbacks=3"),
    "a word among callbacks": ({"callbacks": ("x",)}, "callbacks="),
    "one callback": ({"callbacks": keras.callbacks.Callback()}, r"callbacks=\(callback,\)"),
    "a class for an optimizer": ({"optimizer": keras.optimizers.Adam}, "optimizer="),
    "a word for an optimizer": ({"optimizer": "adam"}, "optimizer='adam'"),
    "an optimizer of other weights": ({"optimizer": used()}, "optimizer=SGD after 0 steps"),
    "a decay": ({"average": 0.999}, r"average=0.999.*EMA"),
    "no average": ({"average": None}, "average=None"),
    "a span the wrong way round": ({"span": (1, -1)}, "span="),
    "half a span": ({"span": 1.0}, "span=1.0"),
    "an endless span": ({"span": (0, np.inf)}, "span=inf"),
    "a word for progress": ({"progress": "yes"}, "progress='yes'"),
    "no data": ({"data": None}, "data=None"),
    "data of another kind": ({"data": tf.data.Dataset.range(3)}, "data="),
    "ragged data": ({"data": [[1, 2], [3]]}, "one shape"),
    "complex data": ({"data": C + 1j}, r"data=.*z\.real"),
    "a function of nothing": ({"data": lambda: {"x0": X}}, r"data=.*\(key, step\)"),
    "a function of too much": ({"data": lambda key, step, x: {"x0": X}}, r"data=.*\(key, step\)"),
    "a function that returns nothing": ({"data": lambda key, step: None}, r"data\(key, step\)=None"),
    "a function that returns an array": ({"data": lambda key, step: X}, r"data\(key, step\)="),
    "other names": ({"data": lambda key, step: {"x": X}}, r"data\(key, step\)=\{'x'\}"),
    "numbers made once": ({"data": gives(C)}, "same at all steps"),
    "samples of another shape": ({"data": gives(tf.zeros([4, 3]))}, r"data\(key, step\)\[.x0.\]=.*\(n, 2\)"),
    "whole numbers made": ({"data": gives(tf.zeros([4, 2], tf.int32))}, "real numbers"),
    "samples made of nothing": ({"data": gives(X / 0.0)}, "finite"),
    "unasked labels": ({"data": gives(X, label=tf.zeros([4], tf.int32))}, "knows no classes"),
    "a checkpoint nowhere": ({"checkpoint": "/nonexistent/c.h5"}, "no folder '/nonexistent'"),
    "a checkpoint of another kind": ({"checkpoint": "c.keras"}, 'ends in ".h5"'),
}


@pytest.mark.parametrize("case", CHOICES)
def test_what_cannot_be_asked_of_training(plain, case):
    given, word = CHOICES[case]
    given = {k: v() if v is keras.Sequential else v for k, v in given.items()}
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match="expected .*because") as error:
        fit(**{"network": plain} | given)
    error.match(word)


Y, ONES, EMPTY = np.zeros((4, 4, 2)), np.ones(4, np.int32), np.zeros((4, 1, 5), np.float32)
UNTOLD = {
    "nothing": ({}, "labels=None.*labels=3"),
    "labels alone": ({"labels": ONES}, "context=None.*context=5"),
    "a context alone": ({"context": EMPTY}, "labels=None"),
    "ragged labels": ({"labels": [[1], [1, 2]]}, "labels="),
    "a complex context": ({"labels": ONES, "context": EMPTY + 1j}, "context="),
    "a function of no labels": ({"data": gives(tf.constant(Y))}, r"data\(key, step\)\[.label.\]=None"),
    "a function of no context": ({"data": gives(tf.constant(Y), label=tf.constant(ONES))}, r"\[.context.\]=None"),
    "labels beyond": ({"data": gives(tf.constant(Y), label=tf.constant(ONES + 3), context=tf.constant(EMPTY))}, r"\[4\]"),
    "a context of others": ({"data": gives(tf.constant(Y), label=tf.constant(ONES), context=tf.zeros([4, 5]))}, "context"),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_networks_with_conditions_are_told_them(told, case):
    given, word = UNTOLD[case]
    with pytest.raises((ValueError, TypeError), match="expected .*because") as error:
        fit(told, **{"data": Y, "span": None} | given)
    error.match(word)


def test_a_function_may_tell_that_there_is_no_class(told):
    made = {"x0": tf.constant(Y), "label": tf.constant(ONES + 2), "context": tf.constant(EMPTY)}
    intake.batch(told, made, None)


def test_a_checkpoint_that_is_none(plain, tmp_path):
    (tmp_path / "c.h5").write_text("junk")
    with pytest.raises(ValueError, match=r"checkpoint=.*: expected a file that fit has written"):
        fit(plain, checkpoint=tmp_path / "c.h5")


def test_vectors_far_from_one_are_noticed(plain):
    far = np.array([[-127.0, 128.0], [0.0, 3.0]])
    for data in (far, (far + 127).astype(np.uint8)):
        with pytest.warns(UserWarning, match=f"data run from {data.min():g} to {data.max():g}: expected .*because"):
            intake.arrays(plain, data, None, None, (-1.0, 1.0), "float32")
    intake.arrays(plain, far, None, None, None, "float32")
    intake.arrays(plain, far / 20, None, None, (-1.0, 1.0), "float32")


def test_sheets_that_draw_nothing():
    for given, word in (((3,), "draw=3"), ((print, "sheets", 0), "columns=0")):
        with pytest.raises((ValueError, TypeError), match=f"{word}: expected .*because"):
            training.Sheet(*given)


def test_files_that_cannot_be_written_or_read(plain, tmp_path):
    junk, missing, schedule = tmp_path / "junk.h5", tmp_path / "none.h5", gen.Cosine()
    junk.write_text("junk")
    (tmp_path / "junk.safetensors").write_text("junk")
    save, load = training.save, training.load
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file.attrs.update({"network": "{", "schedule": "None"})
    for refused, word in (
        (lambda: load(missing), "no such file"),
        (lambda: load(tmp_path), "ends in"),
        (lambda: load(junk), "cannot be read as .h5"),
        (lambda: load(junk.with_suffix(".safetensors")), "cannot be read as .safetensors"),
        (lambda: load(tmp_path / "odd.h5"), "expected a known network"),
        (lambda: load(None), "path=None"),
        (lambda: save(None, plain, schedule), "path=None"),
        (lambda: save(missing, None, schedule), "network=None"),
        (lambda: save(missing, plain, None), "schedule=None"),
        (lambda: save(missing, plain, "cosine"), "schedule='cosine'"),
        (lambda: save(missing, plain, schedule, "v"), "dtype='v'"),
        (lambda: save(missing, plain, schedule, np.int32), "dtype="),
        (lambda: save(tmp_path / "a" / "b.h5", plain, schedule), "no folder"),
    ):
        with pytest.raises((ValueError, TypeError, FileNotFoundError), match="expected .*because") as error:
            refused()
        error.match(word)
    assert not missing.exists()
