"""The parts by name. The script of each stands beside this file."""

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
