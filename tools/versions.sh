#!/usr/bin/env bash
# The unit tests against the lowest and the newest versions that pyproject.toml allows, on each
# Python given: `bash tools/versions.sh python3.11 python3.13`. Needs uv; installs nothing outside
# a temporary folder.
set -euo pipefail

clone=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for python in "${@:-python3}"; do
    for resolution in lowest-direct highest; do
        venv=$work/$(basename "$python")-$resolution
        if ! { uv venv -q --python "$python" "$venv" &&
            uv pip install -q --python "$venv/bin/python" --resolution "$resolution" \
                --reinstall-package angel-ticks "$clone[test]"; }; then
            echo "$python, $resolution: cannot be installed"
            failed=1
            continue
        fi
        if (cd "$clone" && "$venv/bin/python" -m pytest -q -n 2 -p no:cacheprovider -m "not slow" \
            --ignore tests/end_to_end >"$work/log" 2>&1); then
            echo "$("$venv/bin/python" -V), $resolution: $(tail -n 1 "$work/log")"
        else
            tail -n 40 "$work/log"
            echo "$("$venv/bin/python" -V), $resolution: failed"
            failed=1
        fi
    done
done
exit "$failed"
