"""嘉兴创新地图 / Jiaxing Innovation Map."""

from importlib.metadata import version

__version__ = version("jiaxing-innovation-map")
