"""Run the environment's uv with the index, proxy and certificates that pip is configured with here.

uv reads none of pip's settings. ``pip config list`` tells those of pip's files and ``PIP_*`` variables; here
they become uv's variables. A variable of uv's own that is already set wins.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

# uv has an option for this and no variable
NO_INDEX = "--no-index"

UV_NAMES = {
    "INDEX_URL": "UV_DEFAULT_INDEX",
    "EXTRA_INDEX_URL": "UV_INDEX",
    "FIND_LINKS": "UV_FIND_LINKS",
    "NO_INDEX": NO_INDEX,
    "TRUSTED_HOST": "UV_INSECURE_HOST",
    "CERT": "SSL_CERT_FILE",
    "PROXY": "ALL_PROXY",
    "DEFAULT_TIMEOUT": "UV_HTTP_TIMEOUT",
    "TIMEOUT": "UV_HTTP_TIMEOUT",
}
# pip's own order: what stands later wins
SECTIONS = ("global", "install", ":env:")


def uv_settings(config_list: str) -> dict[str, str]:
    """uv's environment variables for the output of ``pip config list`` (lines ``section.name='value'``)."""
    settings: dict[str, str] = {}
    for wanted in SECTIONS:
        for line in config_list.splitlines():
            key, _, value = line.partition("=")
            section, _, option = key.rpartition(".")
            name = UV_NAMES.get(option.replace("-", "_").upper())
            if section != wanted or name is None:
                continue
            words = ast.literal_eval(value).split()
            if name == "UV_FIND_LINKS":
                # pip passes over a folder that does not exist, uv stops at it
                words = [word for word in words if "://" in word or Path(word).exists()]
            # an empty value counts as none: the one before it stands
            if words:
                settings[name] = " ".join(words)
    return settings


def main() -> None:
    """Replace this process by uv, with the arguments of this one."""
    pip = subprocess.run(
        [sys.executable, "-I", "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    # Debian's pip trusts the system's certificates, uv only its own unless told
    settings = {"UV_SYSTEM_CERTS": "true"} | uv_settings(pip.stdout)
    no_index = settings.pop(NO_INDEX, "no").lower() in {"1", "true", "yes", "on"}
    uv = [str(Path(sys.executable).with_name("uv")), *sys.argv[1:], *([NO_INDEX] if no_index else [])]
    os.execve(uv[0], uv, settings | os.environ)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    main()
