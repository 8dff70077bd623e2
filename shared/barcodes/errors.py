"""The one refusal that reading a code can end in."""


class ScanError(ValueError):
    """What was scanned or typed cannot be what was asked for.

    `slug` names the kind of refusal for programs, `detail` is a plain sentence for the technician, and
    `field` names the input it belongs to (`serial`, `gpon_serial`, `mac`, `gtin`, `barcode` or `picture`).

    Slugs: `empty-scan`, `malformed-barcode`, `bad-check-digit`, `malformed-serial`,
    `malformed-gpon-serial`, `malformed-mac`, `wrong-kind-of-code`; from pictures also `empty-picture`,
    `not-a-picture`, `picture-too-large`, `no-barcode-found`.
    """

    def __init__(self, slug: str, detail: str, field: str = "barcode") -> None:
        super().__init__(detail)
        self.slug = slug
        self.detail = detail
        self.field = field
