"""What is published beside the spatial collections: documents, indicators and their values, industries, tasks.

A register is a list one can filter, sort and page. Its ``rows`` is a select with one column per field.
"""

from app.registers.common import Register
from app.registers.documents import DISAGREEMENTS, DOCUMENTS
from app.registers.fields import INDUSTRIES, LINKS, TASKS
from app.registers.indicators import INDICATORS
from app.registers.regions import REGIONS
from app.registers.values import PROGRESS, VALUES

__all__ = ["REGISTERS", "Register"]

REGISTERS = (DOCUMENTS, REGIONS, INDICATORS, VALUES, PROGRESS, INDUSTRIES, LINKS, TASKS, DISAGREEMENTS)
