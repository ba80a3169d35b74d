"""Laws say what the parts of their states are called; records, files and figures repeat it."""

import json

import h5py
import numpy as np
import pytest
import tensorflow as tf

import diffsim as ds
from diffsim.names import Named, checked, find, of
from diffsim.particles import Molecules

PLANE = ds.Grid((6, 4), (2.0, 1.0))
WALLS = ds.Periodic()


def words(named):
    """The names alone."""
    return [n.name for n in named]


def fields(count):
    """So many states on PLANE, all different."""
    return tuple(tf.constant(np.random.default_rng(i).random(PLANE.shape), tf.float32) for i in range(count))


def pair():
    """Two species that diffuse, from text."""
    return ds.models.parse("prey' = 0.1*lap(prey) + prey - prey*fox", "fox' = 0.2*lap(fox) - fox + prey*fox")


@pytest.mark.parametrize(("law", "names"), [
    (lambda: ds.models.GrayScott(F=0.04, k=0.06).on(PLANE, WALLS), ["u", "v"]),
    (lambda: ds.models.FitzHughNagumo().on(PLANE, WALLS), ["v", "w"]),
    (lambda: ds.models.CahnHilliard().on(PLANE, WALLS), ["c"]),
    (lambda: ds.models.SwiftHohenberg(r=0.1).on(PLANE, WALLS), ["u"]),
    (lambda: ds.models.Hillslope().on(PLANE, WALLS), ["z"]),
    (lambda: pair().on(PLANE, WALLS), ["prey", "fox"]),
    (lambda: ds.growing(pair().on(PLANE, WALLS), 0.1), ["prey", "fox"]),
    (lambda: ds.models.Underdamped(V=None, kT=2.0).law, ["x", "v"]),
])
def test_models_name_their_state(law, names):
    assert words(law().names) == names


def test_a_solution_is_asked_by_name():
    """The names survive the stepper's changes to the law; what a law calls t or y hides no attribute."""
    y0 = fields(2)
    law = pair().on(PLANE, WALLS)
    sol = ds.solve(law, y0, (0.0, 0.2), dt=0.1, save=ds.SaveAt(every=1), jit=False)
    assert words(sol.names) == ["prey", "fox"]
    assert sol["fox"] is sol.y[1] and sol["prey"] is sol.y[0]
    with pytest.raises(KeyError, match="name='u': expected one of prey, fox"):
        sol["u"]
    plain = ds.solve(ds.Equation(linear=-1.0), {"b": y0[0], "a": y0[1]}, (0.0, 0.1), dt=0.1, jit=False)
    assert words(plain.names) == ["a", "b"] and np.array_equal(plain["b"], plain.y["b"])


def test_counts_have_a_column_for_each_species(tmp_path):
    law = ds.Jump.of("A + B -> C @ 0.3", "0 -> A @ 2.0")
    n0 = tf.constant([[5.0, 7.0, 0.0]] * 3)
    path = str(tmp_path / "n.h5")
    sol = ds.solve(law, n0, (0.0, 1.0), save=ds.SaveAt(ts=[0.5, 1.0], to=path), key=ds.key(2), jit=False)
    assert sol.names == (Named("n", columns=("A", "B", "C")),)
    whole = np.asarray(sol.y)
    for i, s in enumerate("ABC"):
        assert np.array_equal(sol[s], whole[..., i])
    assert (sol["B"] + sol["C"] == 7).all()  # what one loses the other gains: no other pair of columns does
    with h5py.File(path) as file:
        assert list(file["state/n"].attrs["columns"]) == ["A", "B", "C"]
    assert law.langevin().names == law.rate_equation().names == law.names


def test_pools_name_their_kinds_and_counts_their_species(tmp_path):
    law = Molecules.of("A -> C @ 1.0", D={"A": 1.0, "B": 0.5, "C": 2.0}, region=ds.Box((0.0, 0.0), (1.0, 1.0)))
    y0, path = law.fill({"A": 3, "B": 5}, 9, ds.key(0)), str(tmp_path / "pool.h5")
    sol = ds.solve(law, y0, (0.0, 0.02), dt=0.01, save=ds.SaveAt(every=1, to=path), key=ds.key(1), jit=False)
    with ds.io.load(path) as run:
        assert run.names == sol.names == (Named("x"), Named("kind", kinds=law.species))
        assert type(run.y).__name__ == "Pool" and run["x"].shape == (3, 9, 2)
        with pytest.raises(KeyError, match="B is where kind is 2"):
            run["B"]
    counted = ds.solve(law, y0, (0.0, 0.02), dt=0.01, save=ds.SaveAt(every=2, fn=law.count), key=ds.key(1), jit=False)
    assert counted["B"].numpy()[0] == 5 and np.array_equal(counted["A"] + counted["C"], [3, 3])
    assert np.array_equal(law.count(0.0, y0), [3, 0, 5])


def test_names_are_in_the_file_its_xdmf_and_its_figure(tmp_path):
    path = str(tmp_path / "run.h5")
    law = pair().on(PLANE, WALLS)
    ds.solve(law, fields(2), (0.0, 0.2), dt=0.1, save=ds.SaveAt(every=1, to=path), jit=False)
    xdmf = (tmp_path / "run.xdmf").read_text()
    assert 'Name="prey"' in xdmf and 'Name="fox"' in xdmf
    with h5py.File(path) as file:
        assert sorted(file["state"]) == ["fox", "prey"] and file["state/fox"].attrs["name"] == "fox"
    with ds.io.load(path) as run:
        assert np.array_equal(run["fox"], run.y[1])
        figure = ds.plot.record(run)
    shown = {t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text"))}
    assert {"prey [1]", "fox [1]"} <= shown


def _forget(path):
    """Make of a file what was written before laws had names: by place, without attributes, the law without a field."""
    with h5py.File(path, "r+") as file:
        node = json.loads(file["law/json"][()])
        del node["fields"]["names"], file["law/json"]
        file["law"].create_dataset("json", data=np.bytes_(json.dumps(node)))
        for i, name in enumerate(json.loads(file["structure/json"][()])["tuple"]):
            del file[name].attrs["name"]
            file.move(name, f"state/{i}")
        del file["structure/json"]
        file["structure"].create_dataset("json", data=np.bytes_(json.dumps({"tuple": ["state/0", "state/1"]})))


def test_files_older_than_names_are_read_drawn_and_resumed(tmp_path):
    path, law, y0 = str(tmp_path / "old.h5"), pair().on(PLANE, WALLS), fields(2)
    save = ds.SaveAt(every=2, to=path)
    ds.solve(law, y0, (0.0, 0.4), dt=0.1, stepper=ds.Euler(), save=save, max_steps=2, throw=False, jit=False)
    _forget(path)
    with ds.io.load(path) as run:
        assert words(run.names) == ["u0", "u1"] and run["u1"].shape == (2, *PLANE.shape)
        assert run.law.names is None and run.differs(law) is None
        ds.plot.record(run)
    done = ds.resume(path, law=law)
    whole = ds.solve(law, y0, (0.0, 0.4), dt=0.1, stepper=ds.Euler(), jit=False)
    assert all(np.array_equal(a, b) for a, b in zip(done.final, whole.final, strict=True))
    assert words(done.names) == ["prey", "fox"] and done["fox"].shape == (3, *PLANE.shape)


def test_names_do_not_change_the_run():
    y0, law = fields(2), pair().on(PLANE, WALLS)
    bare = ds.Equation(linear=law.linear, drift=law.drift, local=law.local)
    ends = [ds.solve(each, y0, (0.0, 0.2), dt=0.1, jit=False).final for each in (law, bare)]
    assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))


def test_books_are_named_after_what_they_are_kept_of():
    tracked = ds.track(pair().on(PLANE, ds.Neumann()), fields(2))
    assert words(tracked.law.names)[:2] == ["prey", "fox"]
    assert all(n.split(" ")[0] in ("prey", "fox") for n in words(tracked.law.names)[2:])
    assert words(of(tracked.y0, tracked.law.names)) == words(tracked.law.names)


def test_columns_come_before_tensors_and_nothing_is_guessed():
    y = np.arange(6.0).reshape(3, 2)
    named = checked(Named("n", columns=("n", "m")))
    assert np.array_equal(find(named, y, "n"), [0.0, 2.0, 4.0])
    assert words(of((y, {"b": y, "a": (y, y)}))) == ["u0", "u1.a.u0", "u1.a.u1", "u1.b"]


@pytest.mark.parametrize(("names", "kind", "text"), [
    (("u", "u"), ValueError, "different names"),
    (("u", " "), ValueError, "not empty"),
    (("u", 3), TypeError, "text"),
])
def test_bad_names_are_refused(names, kind, text):
    with pytest.raises(kind, match=text):
        ds.Equation(linear=-1.0, names=names)


def test_names_that_do_not_fit_the_state_are_refused():
    with pytest.raises(ValueError, match=r"names=\(u, v\): expected 1, because each tensor"):
        ds.solve(ds.Equation(linear=-1.0, names=("u", "v")), tf.zeros(3), (0.0, 1.0), dt=0.5)
    with pytest.raises(ValueError, match="columns of n=.*expected 3 names"):
        ds.solve(ds.Equation(linear=-1.0, names=Named("n", columns=("A", "B"))), tf.zeros([4, 3]), (0.0, 1.0), dt=0.5)
    with pytest.raises(TypeError, match="a tuple of names"):
        Named("n", columns="AB")


def test_functions_name_what_they_return_or_are_refused_beforehand():
    """By a dict, or by names of their own; names that do not fit cost no run."""

    def moments(t, y):
        return {"mean": tf.reduce_mean(y), "most": tf.reduce_max(y)}

    law, y0 = ds.Equation(linear=-1.0, names="c"), tf.constant([1.0, 3.0])
    sol = ds.solve(law, y0, (0.0, 0.2), dt=0.1, save=ds.SaveAt(every=1, fn=moments), jit=False)
    assert words(sol.names) == ["mean", "most"] and float(sol["most"][0]) == 3.0

    def ends(t, y):
        return y

    ends.names = Named("c", columns=("left", "right"))
    sol = ds.solve(law, y0, (0.0, 0.2), dt=0.1, save=ds.SaveAt(every=1, fn=ends), jit=False)
    assert np.array_equal(sol["right"], sol.y[:, 1])
    ends.names = ("a", "b")
    with pytest.raises(ValueError, match=r"names=\(a, b\): expected 1"):
        ds.solve(law, y0, (0.0, 0.2), dt=0.1, save=ds.SaveAt(every=1, fn=ends), jit=False)
