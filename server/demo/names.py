"""Words for made-up people: names as one meets them in a Finnish town, by language of contact."""

from collections.abc import Mapping

#: Language → (given names, family names). All combinations are chance.
NAMES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "fi": (
        ("Aada", "Antti", "Eero", "Eeva", "Heikki", "Helmi", "Ilona", "Jari", "Kaarina", "Kalle", "Leena",
         "Marja", "Matti", "Noora", "Olli", "Pirjo", "Riikka", "Saana", "Tapio", "Ville"),
        ("Aalto", "Heikkinen", "Hämäläinen", "Järvinen", "Karjalainen", "Koskinen", "Laine", "Lahtinen",
         "Mattila", "Nieminen", "Niskanen", "Peltonen", "Rantanen", "Salminen", "Toivonen", "Virtanen"),
    ),
    "sv": (
        ("Agneta", "Axel", "Birgitta", "Emil", "Frida", "Gustaf", "Ingrid", "Karl", "Linnéa", "Viktor"),
        ("Backman", "Ekholm", "Forsström", "Granqvist", "Holm", "Lindroos", "Nyberg", "Söderlund"),
    ),
    "en": (
        ("Adaeze", "Ahmed", "Ana", "Carlos", "Fatima", "Grace", "Ivan", "Kenji", "Liam", "Maria", "Minh",
         "Nadia", "Priya", "Sofia", "Thomas", "Yusuf"),
        ("Abdi", "Banerjee", "Brown", "Chen", "Costa", "Dahir", "Ivanova", "Khan", "Kowalski", "Mbeki",
         "Nguyen", "O'Brien", "Rossi", "Silva", "Tanaka", "Williams"),
    ),
    "de": (
        ("Anke", "Bernd", "Claudia", "Dieter", "Katrin", "Lukas", "Sabine", "Uwe"),
        ("Becker", "Fischer", "Hartmann", "Keller", "Maier", "Schulz", "Vogel", "Wagner"),
    ),
}  # fmt: skip

ACCESS_NOTES = (
    "", "", "", "",
    "Door code {code}#.",
    "Ring {name}; the buzzer is slow.",
    "Dog in the yard. Call from the gate.",
    "Fibre outlet is behind the hall cupboard.",
    "Caretaker opens the basement distributor: call before you come.",
    "Park in the inner yard, place 14.",
    "Lift is out of order, fourth floor.",
    "Key safe by the side door, code {code}.",
    "Small child asleep until noon: please knock.",
)  # fmt: skip

#: What was reported, by what the repair turns out to need.
FAULTS: Mapping[str, tuple[str, ...]] = {
    "splice": ("No light on the ONT", "Connection drops several times a day", "Receive power fell by 6 dB"),
    "copper": ("Phone socket dead since the renovation", "Crackling on the line, slow copper tail"),
    "config": ("Wi-Fi works, no internet", "IPTV freezes every evening", "Router reboots by itself"),
}
