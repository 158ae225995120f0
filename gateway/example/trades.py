"""The two companies of the example: what they are, who comes to them, how, and when. Values only.

Numbers of callers and lines are such as are kept for fiction or given to nobody (NANPA 555, Ofcom's numbers for drama).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.example.talks import Talk


@dataclass(frozen=True, slots=True)
class Way:
    """A way in which visitors come.

    ``share`` of all visits, ``calls`` the chance that one calls. ``query`` and ``referrer`` are what the browser would
    say; ``{gclid}`` and ``{keyword}`` are drawn. It runs from ``first`` to ``last`` days before today; ``first`` none:
    always.
    """

    name: str
    share: float
    calls: float
    query: str = ""
    referrer: str = ""
    landings: tuple[str, ...] = ("/",)
    keywords: tuple[str, ...] = ()
    mobile: float = 0.6
    first: int | None = None
    last: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A static number: what it stands for, and how many calls a weekday brings.

    ``waves`` are days before today on which something was sent out, which brings calls for two weeks.
    """

    source: str
    e164: str
    channel: str
    name: str
    medium: str
    calls: float
    waves: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Rush:
    """Days on which many more come: a hailstorm, an offer. ``day`` before today; it halves every ``half`` days."""

    day: int
    times: float
    half: float


@dataclass(frozen=True, slots=True)
class Trade:
    """A company and its trade.

    ``opens`` and ``shuts`` are hours of a weekday, ``saturday`` the hour at which Saturdays end (none: shut).
    ``weekdays`` are the shares of visits, Monday first; ``hours`` those of the hours of a day.
    """

    key: str
    company: str
    time_zone: str
    region: str
    currency: str
    main_number: str
    site: str
    host: str
    pool: str
    lent: tuple[str, ...]
    lines: tuple[Line, ...]
    team: tuple[str, ...]
    visits: float
    ways: tuple[Way, ...]
    rushes: tuple[Rush, ...]
    pages: Mapping[str, str]
    callers: tuple[str, ...]  # the beginnings of callers' numbers, with how many digits follow
    digits: int
    values: tuple[int, int]  # what a job brings: the middle, and the least
    tags: tuple[str, ...]
    notes: tuple[str, ...]
    wishes: tuple[str, ...]  # what people write into the form
    talks: tuple[Talk, ...]
    opens: int = 8
    shuts: int = 18
    saturday: int | None = 13
    weekdays: tuple[float, ...] = (1.15, 1.1, 1.05, 1.0, 0.95, 0.5, 0.4)
    trend: float = 0.0  # by how much there are more visits today than ninety days ago
    booked: float = 0.35
    first_names: tuple[str, ...] = field(default=())
    last_names: tuple[str, ...] = field(default=())


_GOOGLE = "https://www.google.com/"

_ROOF_TALKS = (
    Talk(
        "leak",
        "lead",
        (
            "b Acme Roofing, this is Anna. How can I help you?",
            "c Hi Anna. My name is Dana. We have water coming through the ceiling since last night.",
            "b I am sorry to hear that. Is it dripping right now?",
            "c A little, over the kitchen. I have put a bucket there.",
            "b Good. What is the address?",
            "c It is twenty two Maple Crescent, the blue house on the corner.",
            "b One moment, I am looking who is near you.",
            "- 14",
            "b Tom can be there today at half past two. He will put a tarpaulin on it first.",
            "c That would be wonderful. What will it cost?",
            "b The visit is a hundred and forty dollars, and that comes off the repair.",
            "c That is fine. Thank you so much.",
            "b You are welcome. See you this afternoon.",
        ),
    ),
    Talk(
        "estimate",
        "lead",
        (
            "b Acme Roofing, good morning.",
            "c Good morning. I found you online. I would like an estimate for a new roof.",
            "b Gladly. How old is the present one?",
            "c Twenty years, I think. Asphalt shingles. A few blew off in the wind.",
            "b Roughly how large is the house?",
            "c Fifteen hundred square feet, one floor, with a garage.",
            "b We would come by and measure. It takes half an hour and costs nothing. Would Thursday do?",
            "c Thursday after four, please.",
            "b Half past four on Thursday. May I have your name and number?",
            "c Luc Tremblay, and the number I am calling from.",
            "b Thank you, Luc. You will get a message the day before.",
            "c Perfect. Goodbye.",
        ),
    ),
    Talk(
        "gutters",
        "lead",
        (
            "b Acme Roofing, how can I help?",
            "c Hello, do you clean gutters as well, or only roofs?",
            "b We clean them, and we replace them.",
            "c They are full of leaves and one has come down at the back.",
            "b Then somebody should look at it. Saturday morning is free.",
            "c Yes please, Saturday.",
            "b What is the address?",
            "c Nine River Road. There is a dog, but he is friendly.",
            "b Noted. See you on Saturday.",
        ),
    ),
    Talk(
        "hail",
        "lead",
        (
            "b Acme Roofing, Anna speaking.",
            "c Hi, it is about the hail. Half of our street has holes in the roof.",
            "b We have had many calls today. Are you insured?",
            "c Yes. They want two quotes with photographs.",
            "b We do that. The inspector takes pictures and you have the quote by e-mail the next day.",
            "c When can he come?",
            "- 9",
            "b On Monday at eight, or Tuesday at three.",
            "c Monday at eight.",
            "b Then Monday it is. Please do not go up there yourself.",
            "c I will not. Thanks a lot.",
        ),
    ),
    Talk(
        "price",
        "asked",
        (
            "b Acme Roofing.",
            "c Hello. What do you charge to fix two or three shingles?",
            "b From two hundred and fifty dollars, depending on the pitch.",
            "c Hm. That is more than I thought. I will think it over.",
            "b Of course. Call any time.",
        ),
    ),
    Talk(
        "again",
        "again",
        (
            "b Acme Roofing, good afternoon.",
            "c Hi, it is me again. Could you come at eleven rather than ten tomorrow?",
            "b Eleven is fine. I have changed it.",
            "c Great, thank you. See you tomorrow.",
        ),
    ),
    Talk(
        "invoice",
        "again",
        (
            "b Acme Roofing, this is Tom.",
            "c Hello Tom, I have your invoice here. Can I pay it by card?",
            "b Certainly. There is a link at the bottom of the e-mail.",
            "c Ah, I see it now. And the guarantee is ten years?",
            "b Ten years on the work, twenty five on the shingles.",
            "c Very good. It looks lovely, by the way.",
            "b I will tell the crew. Goodbye.",
        ),
    ),
    Talk(
        "letter",
        "lead",
        (
            "b Acme Roofing.",
            "c I have your letter here. Is the discount still on?",
            "b Until the end of the month.",
            "c Lovely. I have a flat roof over the porch that holds water.",
            "b Somebody can look at it on Wednesday.",
            "c Wednesday is good. Before noon, please.",
            "b Ten o'clock, then.",
        ),
    ),
    Talk(
        "wrong",
        "wrong",
        (
            "b Acme Roofing, good morning.",
            "c Oh, is that not the pharmacy?",
            "b No, this is a roofing company.",
            "c Sorry, I must have dialled wrong.",
        ),
    ),
    Talk(
        "spam",
        "spam",
        (
            "b Acme Roofing.",
            "c Hello, this is an important message about your business listing. Press one to confirm.",
        ),
    ),
)

_DENTAL_TALKS = (
    Talk(
        "checkup",
        "lead",
        (
            "b Northgate Dental, good morning, Priya speaking.",
            "c Good morning. I have just moved here and would like to register.",
            "b Welcome. Would you like a check up as well?",
            "c Yes please. It has been two years, I am afraid.",
            "b That is no trouble. We have Tuesday at nine, or Friday at a quarter past four.",
            "c Friday, please.",
            "b May I take your name and date of birth?",
            "c Grace Holloway, the third of May, nineteen eighty eight.",
            "- 8",
            "b Thank you, Grace. The first visit is sixty five pounds, with the X-rays.",
            "c That is fine. See you on Friday.",
        ),
    ),
    Talk(
        "toothache",
        "lead",
        (
            "b Northgate Dental, how may I help?",
            "c Hello, I have had a terrible toothache since yesterday. Can anybody see me today?",
            "b Is your face swollen, or do you have a temperature?",
            "c A little swollen on the left side.",
            "b Please hold the line, I am asking the dentist.",
            "- 16",
            "b She can see you at ten past one. It may take a while.",
            "c Thank you, you are a star. Where do I park?",
            "b Behind the building, the gate is open.",
            "c I will be there.",
        ),
    ),
    Talk(
        "aligners",
        "lead",
        (
            "b Northgate Dental, Priya speaking.",
            "c Hi. I saw your advert for clear aligners. What do they cost?",
            "b From two thousand four hundred pounds, and you can pay monthly.",
            "c And how long does it take?",
            "b Nine months to a year for most people. The first consultation is free.",
            "c Then I would like one. Evenings are best for me.",
            "b Wednesday at half past five?",
            "c Yes, that works.",
            "b Wonderful. Somebody will text you the day before.",
        ),
    ),
    Talk(
        "whitening",
        "asked",
        (
            "b Northgate Dental.",
            "c Hello, how much is whitening, please?",
            "b Three hundred and ten pounds for both rows, including the trays.",
            "c And does it hurt?",
            "b Most people notice nothing at all.",
            "c All right, I will have a think. Thank you.",
        ),
    ),
    Talk(
        "crown",
        "lead",
        (
            "b Northgate Dental, good afternoon.",
            "c Hello, my crown has come off while I was eating toffee.",
            "b Have you kept it?",
            "c Yes, it is in a little box.",
            "b Very good. We can put it back tomorrow at eleven.",
            "c Tomorrow at eleven is perfect.",
            "b Until then, please chew on the other side.",
            "c I will. Goodbye.",
        ),
    ),
    Talk(
        "move",
        "again",
        (
            "b Northgate Dental.",
            "c Hi, I have an appointment on Thursday and cannot make it. Could we move it?",
            "- 7",
            "b Monday at three?",
            "c Monday is fine.",
            "b Done. See you on Monday.",
        ),
    ),
    Talk(
        "plan",
        "again",
        (
            "b Northgate Dental, this is Oliver.",
            "c Hello, I am calling about my treatment plan. Is the second filling included?",
            "b Let me look.",
            "- 11",
            "b Yes, both are. The whole is a hundred and eighty pounds.",
            "c Good. And can I pay half of it next month?",
            "b Of course, I will make a note of it.",
            "c Thank you very much.",
        ),
    ),
    Talk(
        "kids",
        "lead",
        (
            "b Northgate Dental, good morning.",
            "c Good morning. Do you see children? My daughter is five and rather nervous.",
            "b We do. Doctor Shah is very patient. The first visit is only to look around.",
            "c That sounds right. After school, if possible.",
            "b Tuesday at four?",
            "c Perfect, thank you.",
        ),
    ),
    Talk(
        "wrong",
        "wrong",
        (
            "b Northgate Dental.",
            "c Sorry, I wanted the garage.",
            "b No trouble. Goodbye.",
        ),
    ),
    Talk(
        "spam",
        "spam",
        (
            "b Northgate Dental.",
            "c Hello. We have been trying to reach you about your electricity tariff.",
            "b We are not interested, thank you.",
        ),
    ),
)

ROOFING = Trade(
    key="roofing",
    company="Acme Roofing",
    time_zone="America/Regina",
    region="CA",
    currency="CAD",
    main_number="+13065551234",
    site="acme-roofing.example",
    host="https://www.acme-roofing.example",
    pool="Website",
    lent=tuple(f"+1306555{number}" for number in range(2011, 2021)),
    lines=(
        Line("Google Ads", "+13065552001", "Paid search", "google", "cpc", 0.9),
        Line("Facebook", "+13065552002", "Paid social", "facebook", "paid", 0.25),
        Line("Direct mail", "+13065552003", "Print", "direct-mail", "letter", 0.08, waves=(76, 46, 13)),
        Line("Direct", "+13065551234", "Direct", "(direct)", "(none)", 1.4),
    ),
    team=("PJSIP/anna", "PJSIP/tom", "PJSIP/marek"),
    visits=46,
    ways=(
        Way(
            "emergency",
            20,
            0.13,
            "gclid={gclid}&utm_campaign=emergency-roof-repair&utm_term={keyword}",
            _GOOGLE,
            ("/roof-repair",),
            ("roof leak repair", "emergency roofer", "roof repair regina", "leaking roof"),
            0.72,
        ),
        Way(
            "replacement",
            9,
            0.07,
            "gclid={gclid}&utm_campaign=roof-replacement&utm_term={keyword}",
            _GOOGLE,
            ("/roof-replacement", "/prices"),
            ("new roof cost", "roof replacement", "metal roof"),
            0.5,
            first=62,
        ),
        Way("organic", 24, 0.065, "", _GOOGLE, ("/", "/roof-repair", "/prices", "/blog/ice-dams"), (), 0.58),
        Way("local", 9, 0.16, "utm_source=gbp&utm_medium=organic&utm_campaign=listing", _GOOGLE, ("/",), (), 0.85),
        Way(
            "facebook-ads",
            12,
            0.05,
            "utm_source=facebook&utm_medium=paid&utm_campaign=fall-inspection",
            "https://m.facebook.com/",
            ("/inspection",),
            (),
            0.9,
            first=41,
            last=9,
        ),
        Way("facebook", 4, 0.03, "", "https://www.facebook.com/", ("/", "/gallery"), (), 0.8),
        Way("bing", 4, 0.06, "", "https://www.bing.com/", ("/", "/prices"), (), 0.2),
        Way(
            "bing-ads",
            3,
            0.08,
            "msclkid={gclid}&utm_campaign=prairie-search&utm_term={keyword}",
            "https://www.bing.com/",
            ("/roof-repair",),
            ("roofers near me", "roof repair"),
            0.25,
        ),
        Way("newspaper", 1.5, 0.03, "", "https://www.prairie-herald.example/homes/before-winter", ("/blog/ice-dams",)),
        Way("chatgpt", 1.5, 0.08, "utm_source=chatgpt.com", "", ("/", "/prices"), (), 0.4),
        Way(
            "newsletter",
            3,
            0.04,
            "utm_source=newsletter&utm_medium=email&utm_campaign=before-winter",
            "",
            ("/blog/ice-dams",),
            (),
            0.5,
            first=24,
            last=21,
        ),
        Way("direct", 11, 0.06, "", "", ("/", "/contact"), (), 0.5),
    ),
    rushes=(Rush(34, 4.2, 1.1), Rush(72, 1.5, 2.0)),
    pages={
        "/": "Acme Roofing, Regina",
        "/roof-repair": "Roof repair",
        "/roof-replacement": "A new roof",
        "/prices": "What it costs",
        "/gallery": "Our work",
        "/inspection": "Free inspection",
        "/blog/ice-dams": "Ice dams, and what to do about them",
        "/contact": "Contact",
        "/about": "Who we are",
    },
    callers=("+1306555", "+1306555", "+1306555", "+1639555", "+1474555"),
    digits=4,
    values=(4200, 240),
    tags=("leak", "new roof", "hail", "gutters", "insurance", "estimate"),
    notes=(
        "Wants a quote by Friday.",
        "Roof is about 20 years old.",
        "Insurance pays, needs photographs.",
        "Compares three companies.",
        "Call back after five.",
        "Neighbour of the job on Elm Street.",
        "Metal roof, wants charcoal.",
        "Dog in the yard, ring first.",
        "Moves in next month.",
        "Only gutters for now, roof in spring.",
    ),
    wishes=(
        "Water stain on the ceiling upstairs, could somebody have a look?",
        "Please send a quote for a new roof, 1,600 sq ft.",
        "Hail damage on the garage, insurance asks for photographs.",
        "How soon could you replace the gutters?",
        "Two shingles came off in the wind.",
        "Is the free inspection still on?",
    ),
    talks=_ROOF_TALKS,
    trend=-0.2,
    booked=0.36,
    first_names=(
        "Dana",
        "Luc",
        "Marion",
        "Ruth",
        "Owen",
        "Joel",
        "Kirsten",
        "Amara",
        "Nolan",
        "Odette",
        "Pavel",
        "Rosa",
        "Samir",
        "Tessa",
        "Wesley",
        "Yara",
        "Hugo",
        "Elise",
        "Grant",
        "Colleen",
    ),
    last_names=(
        "Whitfield",
        "Tremblay",
        "Olsen",
        "Ahenakew",
        "Becker",
        "Nair",
        "Desjarlais",
        "Friesen",
        "Gill",
        "Halvorson",
        "Kowalski",
        "Lavallée",
        "Nguyen",
        "Petersen",
        "Rempel",
        "Singh",
        "Toews",
        "Vermette",
        "Wiebe",
        "Young",
        "McKay",
        "Hryciuk",
    ),
)

DENTAL = Trade(
    key="dental",
    company="Northgate Dental",
    time_zone="Europe/London",
    region="GB",
    currency="GBP",
    main_number="+442079460100",
    site="northgate-dental.example",
    host="https://northgate-dental.example",
    pool="Website visitors",
    lent=tuple(f"+4420794602{number:02}" for number in range(1, 9)),
    lines=(
        Line("Google Ads", "+442079460111", "Paid search", "google", "cpc", 1.1),
        Line("Leaflets", "+442079460112", "Print", "leaflet", "door", 0.15, waves=(60, 18)),
        Line("Radio", "+442079460113", "Radio", "radio", "spot", 0.05, waves=(33, 32, 31, 26, 25, 24)),
        Line("Direct", "+442079460100", "Direct", "(direct)", "(none)", 2.1),
    ),
    team=("PJSIP/priya", "PJSIP/oliver"),
    visits=52,
    ways=(
        Way(
            "dentist",
            16,
            0.1,
            "gclid={gclid}&utm_campaign=dentist-near-me&utm_term={keyword}",
            "https://www.google.co.uk/",
            ("/new-patients",),
            ("dentist near me", "private dentist london", "emergency dentist", "dentist open saturday"),
            0.75,
        ),
        Way(
            "aligners",
            14,
            0.06,
            "gclid={gclid}&utm_campaign=clear-aligners&utm_term={keyword}",
            "https://www.google.co.uk/",
            ("/aligners",),
            ("clear aligners", "invisible braces", "aligners cost"),
            0.7,
            first=38,
        ),
        Way(
            "organic",
            28,
            0.06,
            "",
            "https://www.google.co.uk/",
            ("/", "/prices", "/new-patients", "/advice/toothache"),
            (),
            0.62,
        ),
        Way(
            "local",
            12,
            0.15,
            "utm_source=gbp&utm_medium=organic&utm_campaign=listing",
            "https://www.google.co.uk/",
            ("/",),
            (),
            0.85,
        ),
        Way(
            "instagram",
            9,
            0.035,
            "utm_source=instagram&utm_medium=paid&utm_campaign=new-smile",
            "",
            ("/aligners", "/whitening"),
            (),
            0.95,
            first=38,
            last=4,
        ),
        Way("bing", 4, 0.06, "", "https://www.bing.com/", ("/", "/prices"), (), 0.2),
        Way("duckduckgo", 2, 0.05, "", "https://duckduckgo.com/", ("/",), (), 0.4),
        Way("directory", 3, 0.09, "", "https://www.dentists-of-london.example/camden", ("/new-patients",)),
        Way("recall", 5, 0.07, "utm_source=recall&utm_medium=email&utm_campaign=six-months", "", ("/book",), (), 0.6),
        Way("chatgpt", 2, 0.07, "utm_source=chatgpt.com", "", ("/prices",), (), 0.45),
        Way("direct", 12, 0.07, "", "", ("/", "/contact"), (), 0.55),
    ),
    rushes=(Rush(38, 1.6, 3.0), Rush(5, 1.5, 1.5)),
    pages={
        "/": "Northgate Dental, Camden",
        "/new-patients": "New patients",
        "/prices": "Our prices",
        "/aligners": "Clear aligners",
        "/whitening": "Whitening",
        "/book": "Book a visit",
        "/contact": "Find us",
        "/advice/toothache": "Toothache: what helps",
        "/team": "The team",
    },
    callers=("+447700900", "+447700900", "+442079460", "+441134960", "+441614960"),
    digits=3,
    values=(310, 45),
    tags=("new patient", "emergency", "aligners", "children", "whitening", "payment plan"),
    notes=(
        "Prefers evenings.",
        "Nervous, would like Dr Shah.",
        "Sent the price list by e-mail.",
        "Has been with another practice in Kentish Town.",
        "Asks for monthly payments.",
        "Needs step-free access.",
        "Will ring back after talking to her husband.",
        "Crown kept in a box.",
        "Moves her appointment often.",
    ),
    wishes=(
        "I would like to register the whole family, four of us.",
        "Do you take new patients at the moment?",
        "Could I have a free consultation for clear aligners?",
        "My filling fell out, is there anything this week?",
        "How much is whitening for both rows?",
    ),
    talks=_DENTAL_TALKS,
    opens=8,
    shuts=18,
    saturday=14,
    weekdays=(1.2, 1.1, 1.05, 1.0, 0.9, 0.6, 0.55),
    trend=0.35,
    booked=0.46,
    first_names=(
        "Grace",
        "Oliver",
        "Amelia",
        "Hamza",
        "Isla",
        "Callum",
        "Priya",
        "Femi",
        "Niamh",
        "Rhys",
        "Zofia",
        "Leon",
        "Maya",
        "Arthur",
        "Chloe",
        "Yusuf",
        "Siân",
        "Beatrice",
        "Tom",
        "Ines",
    ),
    last_names=(
        "Holloway",
        "Shah",
        "Okafor",
        "Pritchard",
        "Bennett",
        "Kowalska",
        "Hughes",
        "Rahman",
        "Doyle",
        "Clarke",
        "Adeyemi",
        "Lindqvist",
        "Marsh",
        "Patel",
        "Osborne",
        "Fletcher",
        "Byrne",
        "Castellano",
        "Whitmore",
    ),
)

TRADES = (ROOFING, DENTAL)
