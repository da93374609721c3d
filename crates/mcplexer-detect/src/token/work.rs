//! Tokens of chats, mail, payment, shops and work.

use crate::shape::Part::{Lit, Pad, Random, Run};
use crate::shape::Set::{
    Alnum, Any, AnyHex, Base64, Digit, Hex, Lower, Upper, Url, UrlDot, Uuid, Word,
};
use crate::shape::{Shape, shape};

pub(super) const SHAPES: &[Shape] = &[
    // Chats and mail.
    shape(
        "Slack token",
        &[
            "xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxc-", "xoxe-",
        ],
        &[Run(Url, 24, 255)],
    ),
    shape("Slack token", &["xoxd-"], &[Run(Any, 24, 400)]),
    shape("Slack token", &["xoxe.xox"], &[Run(Url, 100, 255)]),
    shape("Slack app token", &["xapp-"], &[Run(Url, 40, 255)]),
    shape(
        "Slack webhook",
        &["hooks.slack.com/services/"],
        &[Run(Any, 36, 60)],
    ),
    shape(
        "Slack webhook",
        &["hooks.slack.com/workflows/", "hooks.slack.com/triggers/"],
        &[Run(Any, 40, 90)],
    ),
    shape(
        "Discord webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        &[Run(Digit, 17, 20), Lit("/"), Run(Url, 60, 80)],
    ),
    shape(
        "Discord bot token",
        &["M", "N", "O"],
        &[
            Run(Url, 22, 27),
            Lit("."),
            Run(Url, 6, 6),
            Lit("."),
            Run(Url, 27, 38),
        ],
    ),
    // https://create.roblox.com/docs: the cookie begins with a warning.
    shape(
        "Roblox cookie",
        &[concat!(
            "_|WARNING:-DO-NOT-SHARE-THIS.--Sharing-this-will-allow-someone-to-log-in-as-you",
            "-and-to-steal-your-ROBUX-and-items.|_"
        )],
        &[Run(Alnum, 40, 2000)],
    ),
    shape("Unkey key", &["unkey_"], &[Run(Alnum, 20, 60)]),
    shape(
        "Telegram bot token",
        &["api.telegram.org/bot", "api.telegram.org/file/bot"],
        &[Run(Digit, 8, 10), Lit(":AA"), Run(Url, 32, 34)],
    ),
    shape(
        "Telegram bot token",
        &[""],
        &[Run(Digit, 8, 10), Lit(":AA"), Run(Url, 32, 34)],
    ),
    shape(
        "Microsoft Teams webhook",
        &["webhook.office.com/webhookb2/"],
        &[
            Run(Uuid, 36, 36),
            Lit("@"),
            Run(Uuid, 36, 36),
            Lit("/IncomingWebhook/"),
            Run(Hex, 32, 32),
        ],
    ),
    shape(
        "Zapier webhook",
        &["hooks.zapier.com/hooks/catch/"],
        &[Run(Digit, 4, 12), Lit("/"), Run(Lower, 6, 12)],
    ),
    shape(
        "Zapier MCP address",
        &["mcp.zapier.com/api/mcp/s/"],
        &[Random(Any, 20, 200)],
    ),
    shape(
        "SendGrid key",
        &["SG."],
        &[Run(Url, 16, 24), Lit("."), Run(Url, 39, 50)],
    ),
    shape("Mailgun key", &["key-"], &[Random(Lower, 32, 32)]),
    shape(
        "Mailchimp key",
        &[""],
        &[Random(Hex, 32, 32), Lit("-us"), Run(Digit, 1, 2)],
    ),
    shape(
        "Brevo key",
        &["xkeysib-"],
        &[Run(Hex, 64, 64), Lit("-"), Run(Alnum, 16, 16)],
    ),
    shape("Resend key", &["re_"], &[Random(Word, 24, 40)]),
    shape("Twilio key", &["SK"], &[Random(Hex, 32, 32)]),
    // Work.
    shape("Linear key", &["lin_api_"], &[Run(Alnum, 40, 48)]),
    shape("Linear token", &["lin_oauth_"], &[Run(Alnum, 40, 64)]),
    shape("Notion token", &["ntn_"], &[Run(Alnum, 40, 50)]),
    shape("Notion token", &["secret_"], &[Random(Alnum, 43, 43)]),
    shape("Figma token", &["figd_", "figu_"], &[Run(Url, 40, 60)]),
    shape(
        "Asana token",
        &["1/"],
        &[Run(Digit, 12, 20), Lit(":"), Run(Alnum, 32, 40)],
    ),
    shape(
        "Asana token",
        &["2/"],
        &[
            Run(Digit, 12, 20),
            Lit("/"),
            Run(Digit, 12, 20),
            Lit(":"),
            Run(Alnum, 32, 40),
        ],
    ),
    shape(
        "HubSpot token",
        &["pat-na1-", "pat-eu1-", "pat-na2-"],
        &[Run(Uuid, 36, 36)],
    ),
    shape(
        "ClickUp token",
        &["pk_"],
        &[Run(Digit, 6, 12), Lit("_"), Run(Upper, 32, 32)],
    ),
    shape(
        "Postman key",
        &["PMAK-"],
        &[Run(Hex, 24, 24), Lit("-"), Run(Hex, 34, 34)],
    ),
    shape("Contentful token", &["CFPAT-"], &[Run(Url, 43, 43)]),
    shape("Typeform token", &["tfp_"], &[Run(UrlDot, 40, 60)]),
    shape("ReadMe key", &["rdme_"], &[Run(Lower, 70, 70)]),
    shape("Intercom token", &["dG9rO"], &[Random(Base64, 40, 80), Pad]),
    shape("Mapbox token", &["sk.eyJ"], &[Run(UrlDot, 60, 240)]),
    // Money and shops.
    shape(
        "Stripe key",
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
        &[Run(Alnum, 16, 250)],
    ),
    shape(
        "Stripe webhook secret",
        &["whsec_"],
        &[Run(Base64, 24, 80), Pad],
    ),
    shape(
        "Shopify token",
        &["shpat_", "shpca_", "shppa_"],
        &[Run(AnyHex, 32, 32)],
    ),
    shape("Shopify secret", &["shpss_"], &[Run(AnyHex, 32, 32)]),
    shape("Square token", &["EAAA"], &[Random(Url, 40, 70)]),
    shape("Square token", &["sq0atp-"], &[Run(Url, 22, 60)]),
    shape("Square secret", &["sq0csp-"], &[Run(Url, 40, 50)]),
    shape(
        "PayPal token",
        &["access_token$"],
        &[
            Run(Lower, 4, 12),
            Lit("$"),
            Run(Lower, 16, 16),
            Lit("$"),
            Run(Hex, 32, 32),
        ],
    ),
    shape("Facebook token", &["EAA"], &[Random(Alnum, 80, 400)]),
    shape("EasyPost key", &["EZAK"], &[Run(Alnum, 54, 54)]),
    shape("Shippo token", &["shippo_live_"], &[Run(AnyHex, 40, 40)]),
];
