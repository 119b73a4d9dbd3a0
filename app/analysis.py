"""How many points lie in which region, over any number of them: partitioned GeoParquet on Dask.

The rule is PostGIS's, as everywhere (``docs/questions.md``): a point belongs to a region whose full outline covers it,
on a shared edge to the one with the smallest id. Each partition is counted by itself, wherever it is read, and only
counts travel; a partition whose worker dies is counted anew by another. A worker needs dask-geopandas and the files,
not this program: what it runs is sent along.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import cloudpickle
import dask
import dask_geopandas
import geopandas as gpd
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Unfit(ValueError):
    """Files that cannot be counted; ``str()`` says why."""


def count_partition(points: gpd.GeoDataFrame, regions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Points of one partition by the number of their region, counted from 0; those in none come last.

    Raises ``Unfit`` for shapes other than points.
    """
    places = points.geometry
    if not places.geom_type.dropna().eq("Point").all():
        raise Unfit("须为点。 Only points can be counted.")
    if places.crs != regions.crs:
        places = places.to_crs(regions.crs)
    # the outlines are prepared, not the points: far fewer of them, with far more vertices
    region, point = places.sindex.query(regions.geometry, predicate="covers")
    first = np.full(len(places), len(regions))
    np.minimum.at(first, point, region)
    return pd.DataFrame(
        {"region": np.arange(len(regions) + 1), "count": np.bincount(first, minlength=len(regions) + 1)}
    )


def count(paths: str | list[str], regions: gpd.GeoDataFrame) -> list[int]:
    """Points in each of the regions, which are in the order of their ids, and at the end those in none.

    Runs on the engine that ``engine`` set. Raises ``Unfit``, and what reading the files raises.
    """
    points = dask_geopandas.read_parquet(paths, gather_spatial_partitions=False)
    if not hasattr(points, "geometry"):
        raise Unfit("文件须为 GeoParquet。 The files must be GeoParquet.")
    points = points[[points.geometry.name]]
    meta = pd.DataFrame({"region": pd.Series(dtype="int64"), "count": pd.Series(dtype="int64")})
    counted = points.map_partitions(count_partition, regions, meta=meta)
    found = counted.groupby("region")["count"].sum().compute()
    return [int(found.get(number, 0)) for number in range(len(regions) + 1)]


@contextmanager
def engine(name: str, scheduler: str | None, workers: int) -> Iterator[None]:
    """What computes within the context: this process alone (``local``), a scheduler's cluster, or own processes.

    Raises ``OSError`` for a scheduler that cannot be reached.
    """
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with ExitStack() as stack:
        if name == "local":
            stack.enter_context(dask.config.set(scheduler="synchronous"))
        elif scheduler:
            stack.enter_context(Client(scheduler, timeout=10))
        else:
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
            )
            stack.enter_context(Client(stack.enter_context(cluster)))
        yield
