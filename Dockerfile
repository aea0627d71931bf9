# The mock in a container. Nothing of this can be built where the project is written: hadolint has read it, no more.
#
#   docker build -t attendee-mockserver .
#   docker run --rm -p 127.0.0.1:8000:8000 attendee-mockserver
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE CHANGELOG.md openapi.yaml ./
COPY contracts ./contracts
COPY fixtures ./fixtures
COPY mockserver ./mockserver
RUN python -m venv /mock \
 && /mock/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt . \
 && /mock/bin/python -m compileall -q /mock/lib

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home mock
COPY --from=build /mock /mock
ENV PATH=/mock/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 10001
EXPOSE 8000
# In a container the mock listens on every address, and so its controls need a token. Give one of your own with
# ATTENDEE_MOCK_CONTROL_TOKEN; otherwise the mock generates one and prints it when it starts (docker logs).
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/__mock__/health', timeout=2)"]
# The mock is the process with number 1. It handles SIGTERM and SIGINT itself: `docker stop` ends it at once.
ENTRYPOINT ["attendee-mock"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
