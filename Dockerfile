# docker build -t innomap . && docker run -p 8000:8000 -v innomap:/var/lib/innomap innomap
# The data lie in the volume. With -e DATABASE_URL=postgresql://… that server is used and the volume stays empty.
FROM debian:bookworm-slim

WORKDIR /opt/innomap
COPY . .
# the same steps as scripts/serve takes on a bare machine
RUN bash -c 'set -euo pipefail; . scripts/lib/bootstrap.sh; prepare serve' \
    && apt-get clean && rm -rf /var/lib/apt/lists/* /root/.cache \
    && useradd --system --home-dir /var/lib/innomap --create-home --shell /usr/sbin/nologin innomap

USER innomap
ENV INNOMAP_DATA_DIR=/var/lib/innomap PYTHONDONTWRITEBYTECODE=1
VOLUME /var/lib/innomap
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD [".venv/bin/python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD [".venv/bin/innomap", "serve", "--host", "0.0.0.0", "--port", "8000"]
