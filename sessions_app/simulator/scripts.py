"""The scripts that the agents follow. Data only; how they are played is in `scenes.py`.

In braces: {subject} chosen once per task, {item} anew for each step, {n} counts the rounds of the cycle.
Every company and host is invented; hosts end in `.example`, which nobody can register.
"""

from typing import NamedTuple


class Scene(NamedTuple):
    site: str  # the name on the page
    host: str
    path: str
    layout: str  # a function of layouts.py
    accent: tuple[int, int, int]
    title: str
    prompt: str
    subjects: tuple[str, ...]
    items: tuple[str, ...]
    opening: tuple[str, ...]
    cycle: tuple[str, ...]
    closing: tuple[str, ...]
    result: str
    fields: tuple[str, ...] = ()  # property names of the structured output, when the task asks for one
    integrations: tuple[str, ...] = ()


LOAD_MORE = "Clicking 'Load more'"

SCENES: dict[str, Scene] = {
    "freight": Scene(
        "Harbourline", "quotes.harbourline.example", "/compare", "table", (15, 98, 132),
        "Compare freight quotes {subject}",
        "Compare sea freight quotes {subject} for one 40 ft container leaving next month. Collect price, transit days and "
        "free detention days from every carrier that answers, and name the best value.",
        ("Rotterdam to Halifax", "Hamburg to Santos", "Gdansk to Singapore", "Antwerp to Montreal", "Valencia to Durban"),
        ("Northsea Lines", "Atlas Ocean", "Corvid Shipping", "Meridian Box", "Blue Anchor", "Polar Freight"),
        ("Opening the quote portal", "Accepting the cookie banner", "Entering the ports of loading and discharge"),
        ("Opening the quote of {item}", "Reading the surcharges of {item}", "Noting transit days of {item}",
         "Going back to the list of quotes"),
        ("Sorting the quotes by total price", "Writing the comparison"),
        "{item} is the best value {subject}: $2,940 all in, 19 days, 10 free days of detention. Seven carriers compared; "
        "two did not quote for this week.",
        ("carrier", "price", "transitDays", "currency", "validUntil"),
    ),
    "invoices": Scene(
        "Ledgerwise", "app.ledgerwise.example", "/payables/invoices", "table", (43, 84, 178),
        "Reconcile supplier invoices, {subject}",
        "Reconcile all supplier invoices of {subject} in Ledgerwise with the purchase orders. List every invoice whose amount "
        "or tax differs by more than $1, with the reason if it can be seen.",
        ("March", "April", "May", "the second quarter", "last week"),
        ("Brightwell Paper", "Osprey Tools", "Kestrel Logistics", "Tern & Sons", "Alder Chemicals", "Quarry Foods"),
        ("Signing in to Ledgerwise", "Opening Payables", "Filtering invoices by status 'Unmatched'"),
        ("Opening the invoice of {item}", "Comparing line {n} with the purchase order", "Checking the tax of {item}",
         "Marking the invoice of {item} as matched"),
        ("Exporting the list of differences", "Summarising the differences"),
        "41 invoices of {subject} checked: 37 match, 4 differ. The largest difference is $318.40 at {item} (freight billed twice).",
        ("supplier", "invoiceNumber", "amount", "difference", "reason"), ("google_sheets",),
    ),
    "prices": Scene(
        "Marlow & Finch", "www.marlowfinch.example", "/shop/catalogue", "cards", (176, 58, 46),
        "Check competitors' prices for {subject}",
        "Check what Marlow & Finch and two other shops ask for {subject}. Give product name, price, shipping and stock, and "
        "say where we are more expensive by 5% or more.",
        ("standing desks", "cordless drills", "espresso machines", "trail shoes", "4K monitors"),
        ("the basic model", "the plus edition", "last year's model", "the refurbished offer", "the bundle"),
        ("Opening the catalogue", "Dismissing the newsletter window", "Searching for {subject}"),
        ("Opening {item}", "Reading price and shipping of {item}", "Scrolling to the next row", LOAD_MORE),
        ("Comparing with our own list", "Writing the price table"),
        "Of 36 offers for {subject}, nine are cheaper than ours by 5% or more; the widest gap is 14% ({item}).",
        ("product", "price", "currency", "inStock", "url"),
    ),
    "reviews": Scene(
        "Roundview", "roundview.example", "/reviews", "results", (92, 61, 158),
        "Collect customer reviews of {subject}",
        "Collect this month's customer reviews of {subject} on Roundview, all pages. Group complaints by theme with a count "
        "and one typical sentence each.",
        ("the Nimbus 3 router", "our mobile app", "the Tarn tent", "the Arbor office chair"),
        ("a two-star review", "a review with photos", "a verified review", "a long complaint", "a five-star review"),
        ("Opening Roundview", "Searching for {subject}", "Sorting by newest"),
        ("Reading {item}", LOAD_MORE, "Scrolling through page {n}", "Noting the theme of {item}"),
        ("Grouping complaints by theme", "Writing the summary"),
        "212 reviews of {subject}: delivery (31), unclear instructions (24), noise (11). Average 4.1 of 5, down from 4.3.",
        ("theme", "count", "quote", "rating"),
    ),
    "leads": Scene(
        "Tradesfolk Directory", "directory.tradesfolk.example", "/search", "results", (23, 120, 84),
        "Enrich leads: {subject}",
        "Find {subject} in the Tradesfolk directory. For each give name, town, website, contact page and number of staff if "
        "stated. Stop at 60 companies.",
        ("dental labs in Ontario", "bakeries with own mills", "solar installers in Bavaria", "boat yards in Brittany"),
        ("the next company", "a company profile", "the contact page", "the imprint", "the team page"),
        ("Opening the directory", "Entering the search", "Setting the region"),
        ("Opening {item}", "Copying name and town", "Looking for the number of staff on {item}", LOAD_MORE),
        ("Removing duplicates", "Saving the list to the workspace"),
        "58 companies found for {subject}, 49 of them with a contact page. Saved as leads.csv in the workspace.",
        ("company", "town", "website", "staff"), ("hubspot",),
    ),
    "flights": Scene(
        "Skylark Fares", "www.skylarkfares.example", "/flights/results", "results", (12, 108, 188),
        "Find the cheapest fares {subject}",
        "Find the three cheapest fares {subject} for two adults, one bag each, at most one stop. Give airline, times, price.",
        ("Oslo to Lisbon", "Chicago to Denver", "Lyon to Naples", "Dublin to Krakow"),
        ("the 06:40 departure", "the evening flight", "the direct flight", "the option with one stop"),
        ("Opening Skylark Fares", "Declining the price alert", "Entering route and dates"),
        ("Opening {item}", "Checking the baggage rules of {item}", "Trying departure day {n}", "Going back to the results"),
        ("Sorting by price", "Writing the three best offers"),
        "Cheapest {subject}: $214 for both, {item}, bags included; next are $229 and $241.",
        ("airline", "departure", "price", "currency", "stops"),
    ),
    "claims": Scene(
        "Fernwood Appliances", "partners.fernwood.example", "/claims/new", "form", (60, 92, 54),
        "File warranty claims: {subject}",
        "File a warranty claim for each device in the list '{subject}' on the Fernwood partner portal and note every claim "
        "number. Do not submit a claim twice.",
        ("returns week 18", "returns week 19", "dishwashers, batch 7", "store Leeds"),
        ("the serial number", "the purchase date", "the fault code", "the proof of purchase", "the customer's address"),
        ("Signing in to the partner portal", "Opening 'New claim'"),
        ("Typing {item}", "Uploading {item}", "Choosing the fault from the list", "Submitting claim {n}"),
        ("Checking the list of open claims", "Noting the claim numbers"),
        "14 claims of {subject} filed, numbers FW-20841 to FW-20854. One device is out of warranty and was left out.",
        ("claimNumber", "serialNumber", "status", "date"),
    ),
    "onboarding": Scene(
        "SupplyGate", "join.supplygate.example", "/register/company", "form", (114, 47, 122),
        "Register {subject} on SupplyGate",
        "Register {subject} as a supplier on SupplyGate with the data of the attached sheet. Confirm the e-mail, upload the "
        "certificates, and stop before anything is paid.",
        ("Pinewell Ltd", "Cobalt Works", "Heron Print", "Saltmarsh Dairy"),
        ("the company name", "the tax number", "the bank details", "the ISO certificate", "the contact person"),
        ("Opening the registration", "Waiting for the confirmation e-mail", "Opening the confirmation link"),
        ("Typing {item}", "Checking {item} for errors", "Moving on to section {n}", "Uploading {item}"),
        ("Reviewing all sections", "Saving the draft"),
        "{subject} is registered, all six sections complete; payment of the yearly fee is the only step left.",
        ("company", "status", "reference"), ("agentmail", "gmail"),
    ),
    "inbox": Scene(
        "Postroom", "mail.postroom.example", "/inbox", "inbox", (196, 98, 16),
        "Triage the {subject} inbox",
        "Go through the unread messages of the {subject} inbox. Label each as order, complaint, invoice or other, and draft "
        "an answer for complaints. Send nothing.",
        ("support", "returns", "wholesale", "press"),
        ("a delayed parcel", "a double charge", "a broken zip", "an address change", "a bulk order"),
        ("Opening the inbox", "Filtering unread messages"),
        ("Reading the message about {item}", "Labelling the message about {item}", "Drafting an answer about {item}",
         "Opening message {n}"),
        ("Counting the labels", "Writing the hand-over note"),
        "73 messages of the {subject} inbox sorted: 28 orders, 19 complaints (drafts ready), 11 invoices, 15 other.",
        ("label", "count", "drafts"), ("gmail", "slack"),
    ),
    "spend": Scene(
        "Adlantern", "console.adlantern.example", "/reports/spend", "dashboard", (31, 95, 214),
        "Export ad spend by campaign, {subject}",
        "Export spend, clicks and conversions per campaign for {subject} from Adlantern and put the ten worst by cost per "
        "conversion on top.",
        ("last month", "week 21", "the spring sale", "the year so far"),
        ("Spring-Brand", "Retarget-EU", "Search-Generic", "Video-Teaser", "Partner-Nordic"),
        ("Signing in to Adlantern", "Opening Reports", "Setting the date range"),
        ("Opening campaign {item}", "Reading conversions of {item}", "Switching to chart {n}", "Adding {item} to the export"),
        ("Downloading the export", "Ranking the campaigns"),
        "Spend of {subject}: $48,210 over 23 campaigns. Worst cost per conversion: {item} with $61.70 (average $18.40).",
        ("campaign", "spend", "clicks", "conversions"), ("google_sheets",),
    ),
    "rules": Scene(
        "Regulation Monitor", "regmonitor.example", "/bulletin", "article", (70, 74, 92),
        "Summarise new rules on {subject}",
        "Read everything that Regulation Monitor published this week on {subject} and summarise what changes for an importer "
        "of kitchenware, with dates and sources.",
        ("packaging waste", "food contact plastics", "customs codes", "battery returns"),
        ("the bulletin", "the annex", "the consultation paper", "the table of dates", "the press notice"),
        ("Opening the bulletin of this week", "Searching for {subject}"),
        ("Reading {item}", "Scrolling to section {n}", "Following the link to {item}", "Noting dates from {item}"),
        ("Checking the sources once more", "Writing the summary"),
        "Three changes on {subject} matter: registration from 1 October, labels in the local language, and a fee per tonne.",
        ("change", "date", "source"),
    ),
    "stock": Scene(
        "Componenta", "shop.componenta.example", "/stock", "table", (0, 112, 116),
        "Check stock of {subject} at distributors",
        "Check how many {subject} five distributors have, at which price for 500 pieces, and how soon they ship.",
        ("STM32 boards", "M8 stainless bolts", "20 uF film capacitors", "linear bearings"),
        ("Componenta", "Partwell", "Rivet & Co", "Delta Supply", "Orbit Parts"),
        ("Opening the parts search", "Typing the part number"),
        ("Opening the offer of {item}", "Reading the price breaks of {item}", "Checking lead time at {item}", "Opening page {n}"),
        ("Comparing the offers", "Writing the stock table"),
        "{subject}: 3,400 pieces in stock at {item}, $0.82 each from 500, ships tomorrow. Two others need four weeks.",
        ("distributor", "quantity", "price", "leadTimeDays"),
    ),
    "rooms": Scene(
        "Innkeeper", "www.innkeeper.example", "/stays", "cards", (168, 50, 110),
        "Find rooms for the team in {subject}",
        "Find a hotel for nine people in {subject}, three nights from Tuesday, below $140 a night, ten minutes on foot from "
        "the fair. Make a short list; book nothing.",
        ("Cologne", "Barcelona", "Chicago", "Milan"),
        ("Hotel Linden", "The Boatyard", "Casa Norte", "Station House", "Park Row"),
        ("Opening Innkeeper", "Entering dates and guests", "Setting the price range"),
        ("Opening {item}", "Reading the reviews of {item}", "Measuring the way from {item} to the fair", LOAD_MORE),
        ("Comparing the short list", "Writing the recommendation"),
        "Short list for {subject}: {item} ($128, 7 min), Station House ($119, 10 min), Park Row ($136, 4 min).",
        ("hotel", "price", "walkMinutes", "rating"),
    ),
    "permits": Scene(
        "City of Elmsford", "permits.elmsford.example", "/register", "table", (88, 68, 40),
        "Download building permits, {subject}",
        "Download every building permit of {subject} from the public register of Elmsford as PDF, and list address, purpose "
        "and date.",
        ("District 4", "the harbour area", "the last ten days", "Mill Street"),
        ("permit B-1182", "permit B-1190", "permit B-1204", "permit B-1217", "permit B-1231"),
        ("Opening the public register", "Agreeing to the terms of use", "Choosing the area"),
        ("Opening {item}", "Downloading {item}", "Going to page {n} of the register", "Waiting for the download of {item}"),
        ("Checking that all files are complete", "Writing the list"),
        "26 permits of {subject} downloaded (14 MB). One file is damaged on the city's side: {item}.",
        ("permit", "address", "purpose", "date"),
    ),
}  # fmt: skip
