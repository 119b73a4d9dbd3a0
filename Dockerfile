# docker build -t innomap . && docker run --read-only --shm-size 256m -p 8000:8000 -v innomap:/var/lib/innomap innomap
# Everything that changes lies in the volume; with -e DATABASE_URL=postgresql://… that server is used, and the volume
# holds temporary files only. Build secrets, all optional, for networks with mirrors of their own: docs/deployment.md.
FROM debian:bookworm-slim AS build
RUN --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/99caller \
    apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3-venv
WORKDIR /opt/innomap
COPY . .
# the packages of requirements.lock by their hashes, as scripts/serve installs them; then without the installers, and
# compiled, for the root of the image may be read-only
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=certificates \
    bash -c 'set -euo pipefail; . scripts/lib/bootstrap.sh; install_environment serve' \
    && .venv/bin/python -m pip uninstall --quiet --yes uv setuptools pip \
    && rm -rf scripts requirements-*.lock \
    && python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash .venv app migrations

FROM debian:bookworm-slim
RUN --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/99caller \
    mkdir -p /etc/postgresql-common/createcluster.d \
    && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/innomap.conf \
    && apt-get update \
    && apt-get install --yes --no-install-recommends fonts-noto-cjk postgresql-15-postgis-3 python3 tini \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/log/* \
    && groupadd --gid 10001 innomap \
    && useradd --uid 10001 --gid 10001 --home-dir /var/lib/innomap --no-create-home --shell /usr/sbin/nologin innomap \
    && install -d -o innomap -g innomap -m 700 /var/lib/innomap
COPY --from=build /opt/innomap /opt/innomap
WORKDIR /opt/innomap
ENV PATH=/opt/innomap/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    INNOMAP_DATA_DIR=/var/lib/innomap \
    TMPDIR=/var/lib/innomap/tmp
USER 10001:10001
VOLUME /var/lib/innomap
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/innomap/deploy/map/entrypoint"]
CMD ["innomap", "serve", "--host", "0.0.0.0", "--port", "8000"]
