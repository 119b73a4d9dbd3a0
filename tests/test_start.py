"""A start waits for no library that only some answers need: each is loaded with the first of them."""

import subprocess
import sys

LATER = ("folium", "geopandas", "matplotlib", "pandas", "pyogrio", "pypinyin")


def test_what_only_some_answers_need_is_loaded_with_them() -> None:
    asked = f"import sys, app.cli, app.main; print(*sorted(sys.modules.keys() & set({LATER})))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
