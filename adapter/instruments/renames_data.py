"""Names that companies, funds and indices had or have besides: data.

Source: the exchanges' circulars and their lists of symbol changes. A date is the first day of the
new symbol, as exactly as it is known ("2026-01" is some day of that month, "" is unknown).
"""

from __future__ import annotations

RENAMES: dict[str, tuple[str, str]] = {
    "L&TFH": ("LTF", "2024"),
    "MCDOWELL-N": ("UNITDSPR", ""),
    "GMRINFRA": ("GMRAIRPORT", ""),
    "IBULHSGFIN": ("SAMMAANCAP", ""),
    "ADANITRANS": ("ADANIENSOL", ""),
    "AMARAJABAT": ("ARE&M", ""),
    "WELSPUNIND": ("WELSPUNLIV", ""),
    "ZOMATO": ("ETERNAL", "2025"),
    "TIMESGTY": ("TEAMGTY", "2025-08-13"),
    "SAH": ("AERONEU", "2025-08-22"),
    "GEPIL": ("GVPIL", "2025-08-28"),
    "HOVS": ("HGM", "2025-09-03"),
    "SWANENERGY": ("SWANCORP", "2025-09-04"),
    "GANESHHOUC": ("GANESHHOU", "2025-09-15"),
    "SILVRETF": ("SILVERAG", "2025-09-15"),
    "WORTH": ("WORTHPERI", "2025-10-10"),
    "BARBEQUE": ("UFBL", "2025-10-13"),
    "AARVEEDEN": ("VGL", "2025-10-13"),
    "SUNDARMHLD": ("TSFINV", "2025-10-16"),
    "GODHA": ("AURIGROW", "2025-10-17"),
    "SMLISUZU": ("SMLMAH", "2025-11-10"),
    "YAARI": ("IBULLSLTD", "2025-11-10"),
    "AURDIS": ("ALCODIS", "2025-11-18"),
    "SMSLIFE": ("HALEOSLABS", "2025-11-26"),
    "CREATIVE": ("CNL", "2025-12-10"),
    "BANKETFADD": ("BANKADD", "2025-12-15"),
    "ITETFADD": ("ITADD", "2025-12-15"),
    "GOLDETFADD": ("GOLDADD", "2025-12-15"),
    "LAWSIKHO": ("ADDICTIVE", "2025-12-17"),
    "JCHAC": ("BOSCH-HCIL", "2025-12-24"),
    "DRL": ("DIRL", "2026-01-02"),
    "SGLTL": ("SETL", "2026-01"),
    "HEUBACHIND": ("SUDARCOLOR", "2026-01-20"),
    "SEQUENT": ("VIYASH", "2026-01"),
    "AMJUMBO": ("PARAMPARA", "2026-01"),
    "INFIBEAM": ("CCAVENUE", "2026-02-03"),
    "MEGASOFT": ("SIGMAADV", "2026-02-09"),
    "ARISINFRA": ("ARIS", "2026-02-09"),
    "SABTNL": ("AQYLON", "2026-02-11"),
    "LTIM": ("LTM", "2026-02-27"),
    "EXCEL": ("LANDSMILL", "2026-04-02"),
    "AKZOINDIA": ("JSWDULUX", "2026-04-15"),
    "ASLIND": ("AVATAR", "2026-04-24"),
    "SASTASUNDR": ("HEALTHX", "2026-04-30"),
    "VISASTEEL": ("VISACHROME", "2026-05-20"),
    "AMBEY": ("DHANSA", "2026-06-01"),
    "MIRCELECTR": ("ONIDA", "2026-06-19"),
    "GUJGASLTD": ("GUJENERGY", "2026-07-01"),
    "LYPSAGEMS": ("AURUS", "2026-07-14"),
    "AMIRCHAND": ("AEROPLANE", "2026-07-20"),
    "ASHIKA": ("ASHIKAG", "2026-07-27"),
    "KEL": ("VISDEM", "2026-08-06"),
}
"""Old name: new name and since when. The exchange keeps the token."""

SPLITS: dict[str, tuple[tuple[str, ...], str]] = {
    "TATAMOTORS": (("TMPV", "TMCV"), "2025-10-24"),
}
"""Old name: the companies it became, the one that kept the token first, and since when."""

MERGERS: dict[str, str] = {
    "PVR": "PVRINOX",
    "PEL": "PIRAMALENT",
    "LTI": "LTIM",
    "MINDTREE": "LTIM",
    "IDFC": "IDFCFIRSTB",
    "HDFC": "HDFCBANK",
}
"""Merged company: the one that it is part of now. Another company, so a hint and no answer."""

INDEX_ALIASES: dict[str, str] = {
    "NSEI": "NIFTY",
    "NIFTY50": "NIFTY",
    "CNXNIFTY": "NIFTY",
    "NSEBANK": "BANKNIFTY",
    "NIFTYBANK": "BANKNIFTY",
    "CNXBANK": "BANKNIFTY",
    "NIFTYFINSERVICE": "FINNIFTY",
    "CNXFINANCE": "FINNIFTY",
    "NIFTYFINANCIALSERVICES": "FINNIFTY",
    "MIDCAPNIFTY": "MIDCPNIFTY",
    "NIFTYMIDSELECT": "MIDCPNIFTY",
    "NIFTYMIDCAPSELECT": "MIDCPNIFTY",
    "NIFTYNEXT50": "NIFTYNXT50",
    "NIFTYJR": "NIFTYNXT50",
    "VIX": "INDIAVIX",
    "BSESN": "SENSEX",
    "BSESENSEX": "SENSEX",
    "SENSEX50": "SNSX50",
    "CRSLDX": "NIFTY500",
    "CNXMIDCAP": "NIFTYMIDCAP100",
    "NSEMDCP50": "NIFTYMIDCAP50",
}
"""What platforms and people call an index besides: `loose_key` to `loose_key`. `NIFTYMIDSELECT` and
the like are the exchange's own names; they are listed for masters that call it otherwise."""

INDEX_BRAND = ("CNX", "NIFTY")
"""Until 2015 NSE's indices were CNX Auto, CNX IT ...; Yahoo and TradingView still say so."""
