"""A measurement in JSON's own types and back."""

import json

import numpy as np

from farback.flow import Mark, Measurement, Plane
from farback.flow.measurement import from_plain, to_plain


def test_a_plane_and_its_field_come_back_the_same():
    plane = Plane(
        "basins", "x", "y", "kind", "x", "y", "kind", unit="class", marks=(Mark("fixed", "at"),)
    )
    fields = {
        "x": np.arange(3.0),
        "y": np.arange(2.0),
        "kind": np.array([[0.0, 1, 1], [-np.inf, 0, 1]]),
        "at": np.array([[0.5, 0.5]]),
    }
    told = to_plain(Measurement("basins", "A map.", fields, planes=(plane,)))
    read = from_plain("basins", json.loads(json.dumps(told)))
    assert read.planes == (plane,)
    assert all(np.array_equal(read.fields[name], value) for name, value in fields.items())


def test_lists_of_unlike_lengths_come_back_apart():
    told = to_plain(Measurement("some", "", {"uneven": ((1.0, 2.0), (3.0,))}))
    first, second = from_plain("some", told).uneven
    assert first.tolist() == [1, 2] and second.tolist() == [3]
