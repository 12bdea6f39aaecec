"""The parts by name. The script of each stands beside this file."""

import nicegui.elements.echart  # noqa: F401 - so that pages may import its charts

from cloud.dashboard.parts.part import Part


class Frame(Part, component="fog_frame.js"):
    """Header, navigation, and around the content the banner and the title. Its children are the content."""


class Figures(Part, component="fog_figures.js"):
    """Key figures with their trends."""


class Tiers(Part, component="fog_tiers.js"):
    """Devices, nodes, aggregators and the cloud, with rates on the links between them."""


class Concerns(Part, component="fog_concerns.js"):
    """What needs attention."""


class Newest(Part, component="fog_newest.js"):
    """The newest windows of every pipeline."""


class Table(Part, component="fog_table.js"):
    """Rows and columns; on a phone a block for each row."""


class Charts(Part, component="fog_charts.js"):
    """A window step's newest windows: completeness, and values by key."""


class Flows(Part, component="fog_flows.js"):
    """The ledger's equations as bars that add up."""


class Facts(Part, component="fog_facts.js"):
    """Names and values."""
