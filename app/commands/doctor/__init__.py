"""``innomap doctor``: what is wrong with an installation, in words, and how to mend it. It changes nothing."""

import json
from contextlib import ExitStack

import click

from app.commands.common import data_option
from app.commands.doctor import configuration, machine, server
from app.commands.doctor.findings import MARKS, Patient, examine
from app.settings import get_settings

CHECKS = (*machine.CHECKS, *configuration.CHECKS, *server.CHECKS)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="--port 的地址。 Address of --port.")
@click.option("--port", type=click.IntRange(1, 65535), help="也看此端口是否空闲。 Look whether this port is free, too.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64),
    help="打算用的进程数，以核对数据库连接数。 Web processes to be run, to reckon the connections.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="报告用 JSON。 The report as JSON.")
@data_option
@click.pass_context
def doctor(context: click.Context, host: str, port: int | None, workers: int, as_json: bool) -> None:
    """检查安装，说明问题与办法。 Say what is wrong with an installation and how to mend it; exits with 1 then.

    Nothing is changed, and no service need run; the private database is started for the while where it does not run.
    """
    found = []
    with ExitStack() as stack:
        patient = Patient(get_settings(), stack, host, port, workers)
        for check in CHECKS:
            findings = examine(check, patient)
            found += [(check, one) for one in findings]
            if not as_json:
                for one in findings:
                    click.echo(f"{MARKS[one.level]} {check.title}: {one.text}")
    levels = [one.level for _, one in found]
    wrong, warnings = levels.count("wrong"), levels.count("warning")
    if as_json:
        told = [{"check": check.name, "level": one.level, "text": one.text} for check, one in found]
        click.echo(json.dumps({"ok": not wrong, "findings": told}, ensure_ascii=False, indent=2))
    else:
        click.echo(f"错误 {wrong}，警告 {warnings}。 Wrong: {wrong}, warnings: {warnings}.")
    context.exit(bool(wrong))
