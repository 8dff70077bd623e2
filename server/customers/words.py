"""What customers read, in their language. Every catalogue holds every sentence: the class sees to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.money import Money
from shared.work_orders import WorkOrderKind as Kind

NO_BREAK = "\N{NO-BREAK SPACE}"
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One language. `{name}` is a first name, `{date}` a day; `{time}`, `{from_}`, `{until}` clock times."""

    code: str
    title: str
    kinds: dict[Kind, str]
    waiting: str
    waiting_more: str
    planned: str
    on_the_way: str
    here: str
    done: str
    done_more: str
    unfinished: str
    unfinished_more: str
    cancelled: str
    cancelled_more: str
    expected: str
    running_late: str
    promised: str
    window: str
    window_missing: str
    who: str
    van: str
    where: str
    number: str
    steps: tuple[str, str, str, str]
    updated: str
    follows: str
    lost: str
    reload: str
    expired: str
    expired_more: str
    unknown: str
    unknown_more: str
    other_time: str
    choose: str
    none_free: str
    nearby: str
    kept: str  # {window} {time}
    take_it: str
    choose_again: str
    taken: str
    weekdays: tuple[str, ...]  # Monday first
    months: tuple[str, ...]
    date: str  # {weekday} {day} {month}
    clock: str  # for strftime
    receipt: str
    total: str
    money_back: str
    with_tax: str  # {rate} {amount}
    first_month: str  # {plan} {days} {of_days}; so the next two
    plan_change: str
    unused_days: str
    not_charged: str
    agreed: str  # {amount} {date} {time}; so the next
    refused: str
    decimal_mark: str
    group_mark: str
    symbol_first: bool = False

    def day(self, at: datetime) -> str:
        """A local day, as one says it."""
        return self.date.format(
            weekday=self.weekdays[at.weekday()], day=at.day, month=self.months[at.month - 1]
        )

    def time(self, at: datetime) -> str:
        return at.strftime(self.clock)

    def span(self, start: datetime, end: datetime) -> str:
        """A window in local time, as one says it."""
        return self.window.format(date=self.day(start), from_=self.time(start), until=self.time(end))

    def decimal(self, value: Decimal) -> str:
        return str(value).replace(".", self.decimal_mark)

    def money(self, amount: Money) -> str:
        """With the digits of its currency, as one writes it."""
        sign, whole, fraction = amount.digits
        digits = f"{int(whole):,}".replace(",", self.group_mark)
        digits += f"{self.decimal_mark}{fraction}" if fraction else ""
        symbol = SYMBOLS.get(amount.currency)
        if symbol and self.symbol_first:
            return f"{sign}{symbol}{digits}"
        return f"{sign}{digits}{NO_BREAK}{symbol or amount.currency}"


ENGLISH = Words(
    code="en",
    title="Your visit",
    kinds={
        Kind.INSTALL: "Installing your fibre connection",
        Kind.UPGRADE: "Upgrading your connection",
        Kind.REPAIR: "Repairing your connection",
        Kind.SWAP: "Replacing your device",
        Kind.DISCONNECT: "Taking down your connection",
    },
    waiting="We are arranging your visit",
    waiting_more="We will tell you here who comes and when.",
    planned="Your visit is planned",
    on_the_way="{name} is on the way",
    here="{name} is with you",
    done="All done",
    done_more="Finished at {time}. Thank you for having us.",
    unfinished="We could not finish",
    unfinished_more="We will contact you to agree on a new time.",
    cancelled="This visit is cancelled",
    cancelled_more="Nobody will come. If this surprises you, please contact us.",
    expected="Expected around {time}",
    running_late="We are running late and expect to be with you around {time}. We are sorry.",
    promised="Promised time",
    window="{date}, {from_}–{until}",
    window_missing="Not agreed yet",
    who="Who comes",
    van="Car",
    where="Where",
    number="Reference",
    steps=("Planned", "On the way", "With you", "Done"),
    updated="Updated {time}",
    follows="This page keeps itself up to date.",
    lost="No connection. What you see may be old; we keep trying.",
    reload="Look again",
    expired="This link has expired",
    expired_more="It was for one visit only. Please contact us if you need anything.",
    unknown="We do not know this link",
    unknown_more="Perhaps a part of it is missing. Please open it again from our message.",
    other_time="Choose another time",
    choose="When does it suit you?",
    none_free="No time is free in the next days. Please contact us.",
    nearby="We are nearby then",
    kept="We keep {window} free for you until {time}.",
    take_it="Take this time",
    choose_again="Choose another one",
    taken="This time is no longer free. Please choose another one.",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December"),
    date="{weekday} {day} {month}",
    clock="%H:%M",
    receipt="Your receipt",
    total="Total",
    money_back="You get back",
    with_tax="incl. {rate} % VAT: {amount}",
    first_month="{plan}: first month, {days} of {of_days} days",
    plan_change="Change to {plan}: {days} of {of_days} days",
    unused_days="{plan}: {days} of {of_days} days not used",
    not_charged="Not agreed, so not charged",
    agreed="{amount} was agreed on site on {date} at {time}.",
    refused="{amount} was refused on site on {date} at {time}.",
    decimal_mark=".",
    group_mark=",",
    symbol_first=True,
)  # fmt: skip

FINNISH = Words(
    code="fi",
    title="Käyntisi",
    kinds={
        Kind.INSTALL: "Valokuituliittymän asennus",
        Kind.UPGRADE: "Liittymän päivitys",
        Kind.REPAIR: "Liittymän korjaus",
        Kind.SWAP: "Laitteen vaihto",
        Kind.DISCONNECT: "Liittymän purku",
    },
    waiting="Järjestämme käyntiäsi",
    waiting_more="Kerromme tässä, kuka tulee ja milloin.",
    planned="Käyntisi on sovittu",
    on_the_way="{name} on matkalla",
    here="{name} on perillä",
    done="Valmista tuli",
    done_more="Työ valmistui klo {time}. Kiitos!",
    unfinished="Työ jäi kesken",
    unfinished_more="Otamme sinuun yhteyttä ja sovimme uuden ajan.",
    cancelled="Tämä käynti on peruttu",
    cancelled_more="Kukaan ei tule. Jos tämä yllätti, ota meihin yhteyttä.",
    expected="Arvioitu saapumisaika noin klo {time}",
    running_late="Olemme myöhässä ja arvioimme saapuvamme noin klo {time}. Pahoittelemme.",
    promised="Luvattu aika",
    window="{date} klo {from_}–{until}",
    window_missing="Ei vielä sovittu",
    who="Asentaja",
    van="Auto",
    where="Osoite",
    number="Viite",
    steps=("Sovittu", "Matkalla", "Perillä", "Valmis"),
    updated="Päivitetty klo {time}",
    follows="Sivu päivittyy itsestään.",
    lost="Ei yhteyttä. Tiedot voivat olla vanhoja; yritämme uudelleen.",
    reload="Katso uudelleen",
    expired="Tämä linkki on vanhentunut",
    expired_more="Se koski vain yhtä käyntiä. Ota meihin yhteyttä, jos tarvitset jotain.",
    unknown="Emme tunne tätä linkkiä",
    unknown_more="Ehkä siitä puuttuu osa. Avaa se uudelleen viestistämme.",
    other_time="Valitse toinen aika",
    choose="Mikä aika sopii sinulle?",
    none_free="Lähipäivinä ei ole vapaita aikoja. Ota yhteyttä meihin.",
    nearby="Olemme silloin lähistöllä",
    kept="Varaamme sinulle ajan {window} kello {time} asti.",
    take_it="Ota tämä aika",
    choose_again="Valitse toinen",
    taken="Tämä aika ei ole enää vapaa. Valitse toinen.",
    weekdays=("maanantaina", "tiistaina", "keskiviikkona", "torstaina", "perjantaina", "lauantaina",
              "sunnuntaina"),
    months=("tammikuuta", "helmikuuta", "maaliskuuta", "huhtikuuta", "toukokuuta", "kesäkuuta", "heinäkuuta",
            "elokuuta", "syyskuuta", "lokakuuta", "marraskuuta", "joulukuuta"),
    date="{weekday} {day}. {month}",
    clock="%H.%M",
    receipt="Kuittisi",
    total="Yhteensä",
    money_back="Saat takaisin",
    with_tax="sis. alv {rate} %: {amount}",
    first_month="{plan}: ensimmäinen kuukausi, {days}/{of_days} päivää",
    plan_change="Vaihto liittymään {plan}: {days}/{of_days} päivää",
    unused_days="{plan}: {days}/{of_days} päivää käyttämättä",
    not_charged="Ei sovittu, joten ei veloiteta",
    agreed="{amount} sovittiin käynnillä {date} klo {time}.",
    refused="{amount} hylättiin käynnillä {date} klo {time}.",
    decimal_mark=",",
    group_mark=NO_BREAK,
)  # fmt: skip

SWEDISH = Words(
    code="sv",
    title="Ditt besök",
    kinds={
        Kind.INSTALL: "Installation av din fiberanslutning",
        Kind.UPGRADE: "Uppgradering av din anslutning",
        Kind.REPAIR: "Reparation av din anslutning",
        Kind.SWAP: "Byte av din utrustning",
        Kind.DISCONNECT: "Nedkoppling av din anslutning",
    },
    waiting="Vi ordnar ditt besök",
    waiting_more="Här berättar vi vem som kommer och när.",
    planned="Ditt besök är inbokat",
    on_the_way="{name} är på väg",
    here="{name} är hos dig",
    done="Allt är klart",
    done_more="Klart kl. {time}. Tack för besöket.",
    unfinished="Vi kunde inte bli klara",
    unfinished_more="Vi hör av oss för att komma överens om en ny tid.",
    cancelled="Besöket är inställt",
    cancelled_more="Ingen kommer. Kontakta oss gärna om det överraskar dig.",
    expected="Väntas omkring kl. {time}",
    running_late="Vi är försenade och väntas vara hos dig omkring kl. {time}. Vi beklagar.",
    promised="Utlovad tid",
    window="{date} kl. {from_}–{until}",
    window_missing="Ännu inte bestämd",
    who="Vem som kommer",
    van="Bil",
    where="Adress",
    number="Referens",
    steps=("Inbokat", "På väg", "Hos dig", "Klart"),
    updated="Uppdaterad kl. {time}",
    follows="Sidan uppdaterar sig själv.",
    lost="Ingen anslutning. Uppgifterna kan vara gamla; vi försöker igen.",
    reload="Titta igen",
    expired="Länken har gått ut",
    expired_more="Den gällde bara ett besök. Kontakta oss om du behöver något.",
    unknown="Vi känner inte till länken",
    unknown_more="Kanske saknas en del av den. Öppna den igen från vårt meddelande.",
    other_time="Välj en annan tid",
    choose="När passar det dig?",
    none_free="Inga tider är lediga de närmaste dagarna. Kontakta oss.",
    nearby="Vi är i närheten då",
    kept="Vi håller {window} åt dig till {time}.",
    take_it="Ta den här tiden",
    choose_again="Välj en annan",
    taken="Den här tiden är inte längre ledig. Välj en annan.",
    weekdays=("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag"),
    months=("januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober",
            "november", "december"),
    date="{weekday} {day} {month}",
    clock="%H.%M",
    receipt="Ditt kvitto",
    total="Totalt",
    money_back="Du får tillbaka",
    with_tax="inkl. moms {rate} %: {amount}",
    first_month="{plan}: första månaden, {days} av {of_days} dagar",
    plan_change="Byte till {plan}: {days} av {of_days} dagar",
    unused_days="{plan}: {days} av {of_days} dagar ej använda",
    not_charged="Inte överenskommet, debiteras därför inte",
    agreed="{amount} godkändes på plats {date} kl. {time}.",
    refused="{amount} avböjdes på plats {date} kl. {time}.",
    decimal_mark=",",
    group_mark=NO_BREAK,
)  # fmt: skip

GERMAN = Words(
    code="de",
    title="Ihr Termin",
    kinds={
        Kind.INSTALL: "Einrichtung Ihres Glasfaseranschlusses",
        Kind.UPGRADE: "Erweiterung Ihres Anschlusses",
        Kind.REPAIR: "Reparatur Ihres Anschlusses",
        Kind.SWAP: "Austausch Ihres Geräts",
        Kind.DISCONNECT: "Abbau Ihres Anschlusses",
    },
    waiting="Wir planen Ihren Termin",
    waiting_more="Hier sagen wir Ihnen, wer wann kommt.",
    planned="Ihr Termin steht fest",
    on_the_way="{name} ist unterwegs",
    here="{name} ist bei Ihnen",
    done="Alles erledigt",
    done_more="Fertig um {time} Uhr. Vielen Dank.",
    unfinished="Wir sind nicht fertig geworden",
    unfinished_more="Wir melden uns, um einen neuen Termin zu vereinbaren.",
    cancelled="Dieser Termin ist abgesagt",
    cancelled_more="Es kommt niemand. Wenn Sie das überrascht, melden Sie sich bitte bei uns.",
    expected="Voraussichtlich gegen {time} Uhr",
    running_late="Wir sind verspätet und gegen {time} Uhr bei Ihnen. Bitte entschuldigen Sie.",
    promised="Zugesagte Zeit",
    window="{date}, {from_}–{until} Uhr",
    window_missing="Noch nicht vereinbart",
    who="Wer kommt",
    van="Fahrzeug",
    where="Adresse",
    number="Nummer",
    steps=("Geplant", "Unterwegs", "Bei Ihnen", "Fertig"),
    updated="Stand {time} Uhr",
    follows="Diese Seite hält sich selbst auf dem Laufenden.",
    lost="Keine Verbindung. Die Angaben können veraltet sein; wir versuchen es weiter.",
    reload="Nochmals nachsehen",
    expired="Dieser Link ist abgelaufen",
    expired_more="Er galt nur für einen Termin. Melden Sie sich bitte bei uns, wenn Sie etwas brauchen.",
    unknown="Diesen Link kennen wir nicht",
    unknown_more="Vielleicht fehlt ein Teil davon. Öffnen Sie ihn bitte noch einmal aus unserer Nachricht.",
    other_time="Anderen Termin wählen",
    choose="Wann passt es Ihnen?",
    none_free="In den nächsten Tagen ist kein Termin frei. Bitte melden Sie sich bei uns.",
    nearby="Wir sind dann in der Nähe",
    kept="Wir halten {window} bis {time} für Sie frei.",
    take_it="Diesen Termin nehmen",
    choose_again="Einen anderen wählen",
    taken="Dieser Termin ist nicht mehr frei. Bitte wählen Sie einen anderen.",
    weekdays=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    months=("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
            "November", "Dezember"),
    date="{weekday}, {day}. {month}",
    clock="%H:%M",
    receipt="Ihr Beleg",
    total="Gesamt",
    money_back="Sie bekommen zurück",
    with_tax="inkl. {rate} % MwSt.: {amount}",
    first_month="{plan}: erster Monat, {days} von {of_days} Tagen",
    plan_change="Wechsel zu {plan}: {days} von {of_days} Tagen",
    unused_days="{plan}: {days} von {of_days} Tagen nicht genutzt",
    not_charged="Nicht vereinbart, daher nicht berechnet",
    agreed="{amount} wurden vor Ort vereinbart: {date}, {time} Uhr.",
    refused="{amount} wurden vor Ort abgelehnt: {date}, {time} Uhr.",
    decimal_mark=",",
    group_mark=".",
)  # fmt: skip

LANGUAGES: dict[str, Words] = {words.code: words for words in (ENGLISH, FINNISH, SWEDISH, GERMAN)}


def words_for(language: str) -> Words:
    """The catalogue for a BCP 47 tag ("fi-FI"), or English."""
    return LANGUAGES.get(language.replace("_", "-").split("-")[0].lower(), ENGLISH)


def preferred(accept_language: str) -> Words:
    """The first language of an Accept-Language header that we speak, or English."""
    tags = [part.split(";")[0].strip() for part in accept_language.split(",")]
    known = (tag.split("-")[0].lower() for tag in tags)
    return next((LANGUAGES[code] for code in known if code in LANGUAGES), ENGLISH)
