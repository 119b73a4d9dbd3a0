# Installs what the programs in scripts/ need. Sourced by them and by the Dockerfile, after `set -euo pipefail`.
#
#   prepare serve   PostGIS, a Chinese font, and the packages of requirements.lock in .venv
#   prepare test    these, Chromium and what drives it, GDAL's programs, wrk, PgBouncer, libfaketime, and
#                   the packages of requirements-test.lock
#
# What is there already is left alone: with everything in place `prepare` writes nothing and takes a fraction of a second.
# Every failure is one bilingual sentence with its remedy on standard error, and exit status 1.

ROOT="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)"
VENV="$ROOT/.venv"
# Two lines: where and for which Python the environment was made, and a checksum of what was installed.
# It is absent while packages change, so an environment without it is never trusted, nor repaired: it is made anew.
STAMP="$VENV/.complete"
CREATECLUSTER_DROP_IN=/etc/postgresql-common/createcluster.d/innomap.conf
PYTHON=

say() { printf '» %s\n' "$*" >&2; }

die() {
    printf '✗ %s\n' "$*" >&2
    exit 1
}

# find_python: sets PYTHON to the first interpreter that is new enough; 1 when there is none.
find_python() {
    local name
    for name in python3.11 python3 python3.12 python3.13 python3.14; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            PYTHON=$name
            return 0
        fi
    done
    return 1
}

has_venv() { find_python && "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; }

# has_postgis: a PostgreSQL server of at least 15 with PostGIS, where `innomap` looks for it (app/db/embedded/binaries.py).
has_postgis() {
    local pg_config told
    for pg_config in pg_config {/usr/lib/postgresql/*,/usr/pgsql-*,/usr/local/pgsql,/opt/homebrew/opt/postgresql@*,/usr/local/opt/postgresql@*}/bin/pg_config; do
        mapfile -t told < <("$pg_config" --version --bindir --pkglibdir --sharedir 2>/dev/null)
        if [[ ${told[0]:-} =~ ^PostgreSQL\ ([0-9]+) && ${BASH_REMATCH[1]} -ge 15 && -x ${told[1]}/postgres &&
            -e ${told[3]}/extension/postgis.control ]] && compgen -G "${told[2]}/postgis-3.*" >/dev/null; then
            return 0
        fi
    done
    return 1
}

has_chromium() { command -v chromium >/dev/null; }

# has_libatomic: a library of GCC's that the browser's driver (Playwright's node) is linked to, and Chromium is not.
has_libatomic() {
    local folder
    for folder in /usr/lib /usr/lib64 /usr/lib/*-linux-*; do
        [[ -e $folder/libatomic.so.1 ]] && return 0
    done
    return 1
}

has_gdal() { command -v ogr2ogr >/dev/null; }

has_wrk() { command -v wrk >/dev/null; }

has_pgbouncer() { [[ -x /usr/sbin/pgbouncer ]]; }

has_libfaketime() { compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null; }

has_cjk_font() {
    local font
    for font in /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc /usr/share/fonts/*/NotoSansCJK*; do
        [[ -e $font ]] && return 0
    done
    return 1
}

# is_half_installed PACKAGE: an installation of it was cut short; its files may be there and yet not work.
is_half_installed() {
    [[ $(dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null) =~ ^install\ .*\ (half-installed|unpacked|half-configured)$ ]]
}

# need PACKAGE PROBE...: the package's name, unless the probe finds what it brings.
need() {
    if ! "${@:2}" || is_half_installed "$1"; then echo "$1"; fi
}

# postgis_package: what is tested with Debian 12; later releases have other versions behind one name.
postgis_package() {
    if grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release; then echo postgresql-15-postgis-3; else echo postgresql-postgis; fi
}

# missing_packages serve|test: the names of the Debian packages that are still needed, one a line.
missing_packages() {
    # Debian's pip trusts this one file
    ! command -v apt-get >/dev/null || need ca-certificates test -e /etc/ssl/certs/ca-certificates.crt
    [[ -x $VENV/bin/python ]] || need python3-venv has_venv
    # an own database server needs no second one here; the tests always start theirs
    [[ $1 == serve && -n ${DATABASE_URL:-${INNOMAP_DATABASE_URL:-}} ]] || need "$(postgis_package)" has_postgis
    # the maps to print are drawn with it
    need fonts-noto-cjk has_cjk_font
    if [[ $1 == test ]]; then
        need chromium has_chromium
        need libatomic1 has_libatomic
        need gdal-bin has_gdal
        need wrk has_wrk
        need pgbouncer has_pgbouncer
        need libfaketime has_libfaketime
    fi
}

is_root() { [[ $EUID -eq 0 ]]; }

as_root() {
    if is_root; then "$@"; else sudo -- "$@"; fi
}

# apt_get ARGUMENT...: apt-get as root without questions; the proxies of this shell go along, which sudo would drop.
# Of its output the downloads and the complaints are shown, not several lines for every package.
apt_get() {
    local name settings=(DEBIAN_FRONTEND=noninteractive)
    for name in http_proxy https_proxy no_proxy; do
        [[ -n ${!name:-} ]] && settings+=("$name=${!name}")
    done
    as_root env "${settings[@]}" apt-get -q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" |
        sed -u -n -E '/^(Need to get|Get:|Err:|Fetched)/p' >&2
}

# install_packages serve|test: installs the missing Debian packages, or names them and ends.
install_packages() {
    local packages by_hand
    mapfile -t packages < <(missing_packages "$1")
    [[ ${#packages[@]} -gt 0 ]] || return 0
    by_hand="apt-get install --no-install-recommends ${packages[*]}"
    if ! command -v apt-get >/dev/null; then
        die "缺少 (Debian 软件包名) ${packages[*]},且本机没有 apt-get:请用本机的软件管理器安装 PostgreSQL ≥ 15、PostGIS ≥ 3.3、Python ≥ 3.11(含 venv)、Noto Sans CJK$([[ $1 == test ]] && echo '、Chromium、GDAL、wrk、PgBouncer、libfaketime')" \
            "/ missing, by their Debian names: ${packages[*]}; there is no apt-get, so install them with this system's package manager (pg_config must be on PATH)"
    fi
    if ! is_root && ! command -v sudo >/dev/null; then
        die "缺少 ${packages[*]},且没有 sudo:请管理员执行 / missing, and there is no sudo; ask an administrator to run: $by_hand"
    fi
    say "安装系统软件包(约需一分钟)/ installing Debian packages (about a minute): ${packages[*]}"
    if ! is_root && ! sudo -v; then
        die "sudo 未获许可:请管理员执行 / sudo was refused; ask an administrator to run: $by_hand"
    fi
    if [[ " ${packages[*]} " == *" postgresql-"* ]]; then
        printf '%s\n' '# Innomap keeps a private database of its own: let Debian neither create nor start another one.' \
            'create_main_cluster = false' |
            as_root install -D -m 644 /dev/stdin "$CREATECLUSTER_DROP_IN" ||
            die "无法写入 / cannot write $CREATECLUSTER_DROP_IN"
    fi
    # the tests start a pooler of their own: let Debian start none
    if [[ " ${packages[*]} " == *" pgbouncer "* && -d /etc/systemd/system && ! -e /etc/systemd/system/pgbouncer.service ]]; then
        as_root ln -s /dev/null /etc/systemd/system/pgbouncer.service || true
    fi
    # an installation that was cut short before is finished first
    as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >&2 || true
    apt_get update || true
    apt_get install --no-install-recommends --fix-broken "${packages[@]}" ||
        die "apt-get 未能安装(见上):请检查网络和 /etc/apt/sources.list / apt-get failed (see above): check the network and /etc/apt/sources.list, then run this again, or install by hand: $by_hand"
    mapfile -t packages < <(missing_packages "$1")
    [[ ${#packages[@]} -eq 0 ]] ||
        die "安装之后仍不可用:需要 PostgreSQL ≥ 15、PostGIS ≥ 3.3、Python ≥ 3.11 / installed, and still not usable (PostgreSQL ≥ 15, PostGIS ≥ 3.3 and Python ≥ 3.11 are needed): ${packages[*]}"
}

# environment_base: the first line of STAMP as it would be now.
environment_base() {
    printf '%s %s\n' "$ROOT" "$("$VENV/bin/python" -ISc 'import sys; print(*sys.version_info[:2])' 2>/dev/null)"
}

lock_file() {
    if [[ $1 == test ]]; then echo "$ROOT/requirements-test.lock"; else echo "$ROOT/requirements.lock"; fi
}

# installed_sum serve|test: the second line of STAMP.
installed_sum() {
    cat -- "$ROOT/pyproject.toml" "$ROOT/requirements-bootstrap.lock" "$(lock_file "$1")" | sha256sum | cut -d ' ' -f 1
}

# environment_is_current serve|test: an environment made for the tests serves as well.
environment_is_current() {
    local base sum
    [[ -r $STAMP ]] && { read -r base && read -r sum; } <"$STAMP" || return 1
    [[ $base == "$(environment_base)" ]] || return 1
    [[ $sum == "$(installed_sum test)" || ($1 == serve && $sum == "$(installed_sum serve)") ]]
}

# venv_pip, venv_uv ARGUMENT...: run with the index, proxy and certificates that pip is configured with on this machine.
venv_pip() { PIP_NO_INPUT=1 PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 "$VENV/bin/python" -I -m pip "$@" >&2; }

venv_uv() { "$VENV/bin/python" -I "$ROOT/scripts/lib/uv_as_pip.py" "$@" >&2; }

# install_environment serve|test: makes .venv what the lock file says, and the project itself importable from where it is.
install_environment() {
    local lock base=
    lock=$(lock_file "$1")
    [[ -r $STAMP ]] && read -r base <"$STAMP"
    if [[ $base == "$(environment_base)" ]]; then
        say "更新 Python 环境 / updating the Python environment: ${lock##*/}"
        rm -f -- "$STAMP"
    else
        find_python || die "需要 Python 3.11 或更新 / Python 3.11 or newer is needed: apt-get install python3"
        say "建立 Python 环境 / making the Python environment: ${lock##*/}"
        rm -rf -- "$VENV"
        "$PYTHON" -m venv "$VENV" || die "无法建立 / cannot make $VENV: 磁盘空间、写权限? / disk space, write permission?"
    fi
    venv_pip install --quiet --require-hashes -r "$ROOT/requirements-bootstrap.lock" ||
        die "pip 未能下载(见上):请检查网络、代理和 pip 设置 / pip failed (see above): check the network, the proxy and pip's configuration, then run this again"
    if venv_uv pip sync --python "$VENV/bin/python" --require-hashes "$lock"; then
        venv_uv pip install --python "$VENV/bin/python" --quiet --offline --no-deps --no-build-isolation --editable "$ROOT" ||
            die "无法安装本项目 / cannot install the project itself"
    else
        say "uv 未成功,改用 pip / uv failed, trying pip instead"
        venv_pip install --require-hashes -r "$lock" ||
            die "pip 未能安装(见上):请检查网络、代理和 pip 设置 / pip failed (see above): check the network, the proxy and pip's configuration, then run this again"
        venv_pip install --quiet --no-index --no-deps --no-build-isolation --editable "$ROOT" ||
            die "无法安装本项目 / cannot install the project itself"
    fi
    printf '%s\n' "$(environment_base)" "$(installed_sum "$1")" >"$STAMP.new"
    mv -- "$STAMP.new" "$STAMP"
}

# prepare_tools docs|verify: sets TOOLS to an environment of its own with requirements-NAME.lock, made anew when that changes.
prepare_tools() {
    local lock="$ROOT/requirements-$1.lock"
    TOOLS="$ROOT/.venv-$1"
    if ! cmp --silent "$lock" "$TOOLS/.complete"; then
        say "安装 / installing: ${lock##*/}"
        rm -rf -- "$TOOLS"
        find_python || die "需要 Python 3.11 或更新 / Python 3.11 or newer is needed: apt-get install python3"
        "$PYTHON" -m venv "$TOOLS" || die "无法建立 / cannot make $TOOLS: 磁盘空间、写权限? / disk space, write permission?"
        PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 "$TOOLS/bin/python" -I -m pip install --quiet --require-hashes -r "$lock" >&2 ||
            die "pip 未能安装(见上)/ pip failed (see above): ${lock##*/}"
        cp -- "$lock" "$TOOLS/.complete"
    fi
}

# prepare serve|test: all of the above, one run at a time in this checkout.
prepare() {
    if [[ -z $(missing_packages "$1") ]] && environment_is_current "$1"; then
        return 0
    fi
    local lock_fd
    exec {lock_fd}<"$ROOT/pyproject.toml"
    if command -v flock >/dev/null && ! flock --nonblock "$lock_fd"; then
        say "另一个程序正在安装,等待 / another run is installing: waiting for it"
        flock "$lock_fd"
    fi
    install_packages "$1"
    environment_is_current "$1" || install_environment "$1"
    exec {lock_fd}<&-
}
