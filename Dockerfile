# One image for every role: migration, Ray head, Ray workers. The role is the command.
FROM python:3.11-slim-bookworm

# LightGBM needs the OpenMP runtime.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 farebox

WORKDIR /srv/farebox
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt
COPY --chown=farebox:farebox . .
RUN pip install --no-cache-dir --no-build-isolation --no-deps --editable .

USER farebox
# On every node before `ray start`; see docs/adr/0004-serving-path.md.
ENV OMP_NUM_THREADS=1 \
    RAY_worker_niceness=0 \
    RAY_USAGE_STATS_ENABLED=0 \
    RAY_AUTH_MODE=token \
    RAY_SERVE_ENABLE_HA_PROXY=1 \
    RAY_SERVE_THROUGHPUT_OPTIMIZED=1 \
    RAY_SERVE_HAPROXY_NBTHREAD=1 \
    RAY_SERVE_HAPROXY_METRICS_ENABLED=0 \
    RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH=serve.ray_http.middlewares
