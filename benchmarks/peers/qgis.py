"""QGIS Server of Debian's ``qgis-server``: FastCGI processes that share one socket, and nginx before them."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import sqlalchemy as sa

from benchmarks.peers.data import SCHEMA
from benchmarks.peers.servers import Server, free_port, running

#: Installed by ``scripts/benchmark --peers qgis``.
PROGRAM = Path("/usr/lib/cgi-bin/qgis_mapserv.fcgi")
#: Ids of less than ten characters are replaced by QGIS.
LAYER = """<maplayer type="vector" geometry={geometry}><id>table_{id}</id><datasource>{source}</datasource>
<layername>{id}</layername><shortname>{id}</shortname><provider encoding="UTF-8">postgres</provider>
<srs><spatialrefsys><authid>EPSG:4326</authid></spatialrefsys></srs><flags><Identifiable>1</Identifiable></flags>
</maplayer>"""
PROJECT = """<qgis version="3.22.16"><title>benchmark</title>
<projectCrs><spatialrefsys><authid>EPSG:4326</authid></spatialrefsys></projectCrs>
<layer-tree-group>{tree}</layer-tree-group><projectlayers>{layers}</projectlayers>
<properties><WFSLayers type="QStringList">{published}</WFSLayers></properties></qgis>"""
NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off; client_body_temp_path {folder}; fastcgi_temp_path {folder}; proxy_temp_path {folder};
    scgi_temp_path {folder}; uwsgi_temp_path {folder};
    large_client_header_buffers 4 64k;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            fastcgi_pass unix:{socket};
            fastcgi_buffers 64 64k;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param REQUEST_URI $request_uri;
            fastcgi_param SERVER_NAME 127.0.0.1;
            fastcgi_param SERVER_PORT {port};
        }}
    }}
}}
"""


@contextlib.contextmanager
def qgis(url: sa.URL, workers: int, folder: Path, names: Sequence[str]) -> Iterator[Server]:
    """QGIS Server with so many processes; ``names`` are tables of the schema ``peer`` with a geometry of one type."""
    if not PROGRAM.exists():
        raise SystemExit(f"no {PROGRAM}: apt-get install qgis-server, as scripts/benchmark does")
    own = folder / "qgis"
    own.mkdir(exist_ok=True)
    project, configuration, path, port = own / "project.qgs", own / "nginx.conf", own / "socket", free_port()
    project.write_text(_project(url, names))
    configuration.write_text(NGINX.format(folder=own, port=port, socket=path))
    environment = {
        "QGIS_PROJECT_FILE": str(project), "QGIS_SERVER_LOG_STDERR": "1", "QGIS_SERVER_LOG_LEVEL": "2",
        "QGIS_SERVER_TRUST_LAYER_METADATA": "1", "QGIS_SERVER_API_WFS3_MAX_LIMIT": "2000000",
        "QT_QPA_PLATFORM": "offscreen", "HOME": str(own), "XDG_RUNTIME_DIR": str(own),
    }  # fmt: skip
    path.unlink(missing_ok=True)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(512)
        log = stack.enter_context((folder / "qgis.log").open("wb"))
        processes = []
        for _ in range(workers):
            # FastCGI: the socket to accept connections from is the standard input
            process = subprocess.Popen(  # noqa: S603
                [str(PROGRAM)], stdin=listener, stdout=log, stderr=log, env={**os.environ, **environment}
            )
            processes.append(process)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        command = [_nginx(folder), "-c", str(configuration), "-e", str(own / "error.log")]
        ready = f"/wfs3/collections/{names[0]}/items.geojson?limit=1"
        server = stack.enter_context(running(command, {}, port, ready, folder / "nginx.log"))
        yield Server(server.address, *processes)


def _nginx(folder: Path) -> str:
    """The system's nginx; else Debian's, unpacked: installed, it would start a server of its own."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found:
        return found
    unpacked = folder / "nginx"
    if not unpacked.exists():
        fetched = folder / "nginx-package"
        fetched.mkdir(exist_ok=True)
        subprocess.run(["/usr/bin/apt-get", "download", "nginx"], cwd=fetched, check=True)
        package = next(fetched.glob("nginx_*.deb"))
        subprocess.run(["/usr/bin/dpkg-deb", "--extract", str(package), str(unpacked)], check=True)  # noqa: S603
    return str(unpacked / "usr/sbin/nginx")


def _project(url: sa.URL, names: Sequence[str]) -> str:
    """A project with the tables as layers, which no layer's own scan delays."""
    host, port = url.query.get("host") or url.host, url.query.get("port") or url.port or 5432
    layers = ""
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        for name in names:
            kind = sa.text(f"SELECT GeometryType(geom) FROM {SCHEMA}.{name} LIMIT 1")  # noqa: S608
            wkb = {"POINT": "Point", "POLYGON": "Polygon"}.get(str(connection.scalar(kind)), "MultiPolygon")
            source = (
                f"dbname='{url.database}' host={host} port={port} user='{url.username}' key='id'"
                f' srid=4326 type={wkb} checkPrimaryKeyUnicity=\'0\' table="{SCHEMA}"."{name}" (geom)'
            )
            shape = quoteattr("Point" if wkb == "Point" else "Polygon")
            layers += LAYER.format(id=name, geometry=shape, source=escape(source))
    tree = "".join(f'<layer-tree-layer id="table_{name}" name="{name}" providerKey="postgres"/>' for name in names)
    published = "".join(f"<value>table_{name}</value>" for name in names)
    return PROJECT.format(tree=tree, layers=layers, published=published)
