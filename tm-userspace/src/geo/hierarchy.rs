//! Azure's geographic hierarchy, as data: World, regional groupings, countries or regions, states or provinces.
//!
//! From "Azure Traffic Manager geographic regions" in Microsoft's documentation (CC BY 4.0, see `NOTICE`). `XE`, `XJ`, `XK` and `XS` are
//! Azure's own codes; Western Sahara (`EH`) has no place in it.

/// Regional groupings and their countries or regions.
pub(super) const GROUPINGS: &[(&str, &str)] = &[
    (
        "GEO-AF",
        "AO BF BI BJ BV BW CD CF CG CI CM CV DJ DZ EG ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TF TG TN TZ UG YT ZA ZM ZW",
    ),
    ("GEO-AN", "AQ"),
    ("GEO-AP", "AS AU CK FJ FM GU HM KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TO TV VU WF WS"),
    (
        "GEO-AS",
        "AF AM AZ BD BN BT CC CN CX GE HK ID IN IO JP KG KH KP KR KZ LA LK MM MN MO MV MY NP PH PK SG TH TJ TL TM TW UZ VN",
    ),
    (
        "GEO-EU",
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XJ XK",
    ),
    ("GEO-ME", "AE BH IL IQ IR JO KW LB OM PS QA SA SY TR YE"),
    (
        "GEO-NA",
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT UM US VC VG VI XE XS",
    ),
    ("GEO-SA", "AR BO BR CL CO EC FK GF GS GY PE PY SR UY VE"),
];

/// The countries that are divided, and their states or provinces with the names by which some databases call them.
pub(super) const DIVISIONS: &[(&str, &[(&str, &str)])] = &[
    (
        "AU",
        &[
            ("ACT", "Australian Capital Territory"),
            ("NSW", "New South Wales"),
            ("NT", "Northern Territory"),
            ("QLD", "Queensland"),
            ("SA", "South Australia"),
            ("TAS", "Tasmania"),
            ("VIC", "Victoria"),
            ("WA", "Western Australia"),
        ],
    ),
    (
        "CA",
        &[
            ("AB", "Alberta"),
            ("BC", "British Columbia"),
            ("MB", "Manitoba"),
            ("NB", "New Brunswick"),
            ("NL", "Newfoundland and Labrador"),
            ("NS", "Nova Scotia"),
            ("NT", "Northwest Territories"),
            ("NU", "Nunavut"),
            ("ON", "Ontario"),
            ("PE", "Prince Edward Island"),
            ("QC", "Quebec"),
            ("SK", "Saskatchewan"),
            ("YT", "Yukon"),
        ],
    ),
    ("GB", &[("ENG", "England"), ("NIR", "Northern Ireland"), ("SCT", "Scotland"), ("WLS", "Wales")]),
    (
        "US",
        &[
            ("AK", "Alaska"),
            ("AL", "Alabama"),
            ("AR", "Arkansas"),
            ("AZ", "Arizona"),
            ("CA", "California"),
            ("CO", "Colorado"),
            ("CT", "Connecticut"),
            ("DC", "District of Columbia"),
            ("DE", "Delaware"),
            ("FL", "Florida"),
            ("GA", "Georgia"),
            ("HI", "Hawaii"),
            ("IA", "Iowa"),
            ("ID", "Idaho"),
            ("IL", "Illinois"),
            ("IN", "Indiana"),
            ("KS", "Kansas"),
            ("KY", "Kentucky"),
            ("LA", "Louisiana"),
            ("MA", "Massachusetts"),
            ("MD", "Maryland"),
            ("ME", "Maine"),
            ("MI", "Michigan"),
            ("MN", "Minnesota"),
            ("MO", "Missouri"),
            ("MS", "Mississippi"),
            ("MT", "Montana"),
            ("NC", "North Carolina"),
            ("ND", "North Dakota"),
            ("NE", "Nebraska"),
            ("NH", "New Hampshire"),
            ("NJ", "New Jersey"),
            ("NM", "New Mexico"),
            ("NV", "Nevada"),
            ("NY", "New York"),
            ("OH", "Ohio"),
            ("OK", "Oklahoma"),
            ("OR", "Oregon"),
            ("PA", "Pennsylvania"),
            ("RI", "Rhode Island"),
            ("SC", "South Carolina"),
            ("SD", "South Dakota"),
            ("TN", "Tennessee"),
            ("TX", "Texas"),
            ("UT", "Utah"),
            ("VA", "Virginia"),
            ("VT", "Vermont"),
            ("WA", "Washington"),
            ("WI", "Wisconsin"),
            ("WV", "West Virginia"),
            ("WY", "Wyoming"),
        ],
    ),
];

/// What people write who mean one of the codes.
pub(super) const MISNOMERS: &[(&str, &str)] = &[
    ("AFRICA", "GEO-AF"),
    ("ANTARCTICA", "GEO-AN"),
    ("ASIA", "GEO-AS"),
    ("EU", "GEO-EU"),
    ("EUROPE", "GEO-EU"),
    ("GEO-OC", "GEO-AP"),
    ("GLOBAL", "WORLD"),
    ("OCEANIA", "GEO-AP"),
    ("UK", "GB"),
    ("USA", "US"),
];
