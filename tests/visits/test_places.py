"""Each family of places the default set knows, hosts that only look like them, and what they send along."""

import pytest

from gateway.visits.classify import Classifier, classify, default_classifier
from gateway.visits.ruleset import RuleSet, default_rule_set

SITE = "https://roofs.example/"
GOOGLE = ["com", "de", "co.uk", "com.au", "fr", "ca", "co.in", "co.jp", "com.br", "ru", "com.tr", "ae", "cat", "kz"]


@pytest.mark.parametrize(
    ("referrer", "label", "source", "keyword"),
    [
        ("https://www.google.com/search?q=roof+repair", "Google", "google", "roof repair"),
        ("https://www.bing.com/search?q=roof%20repair", "Bing", "bing", "roof repair"),
        ("https://search.yahoo.com/search?p=roof", "Yahoo", "yahoo", "roof"),
        ("https://r.search.yahoo.com/_ylt=x", "Yahoo", "yahoo", None),
        ("https://uk.search.yahoo.com/search?p=roof", "Yahoo", "yahoo", "roof"),
        ("https://search.yahoo.co.jp/search?p=%B2%B0%BA%AC", "Yahoo! Japan", "yahoo", "屋根"),
        ("https://duckduckgo.com/?q=roof", "DuckDuckGo", "duckduckgo", "roof"),
        ("https://www.ecosia.org/search?q=roof", "Ecosia", "ecosia", "roof"),
        ("https://search.brave.com/search?q=roof", "Brave", "brave", "roof"),
        ("https://www.qwant.com/?q=roof", "Qwant", "qwant", "roof"),
        ("https://www.startpage.com/do/search?query=roof", "Startpage", "startpage", "roof"),
        ("https://yandex.ru/search/?text=%D0%BA%D1%80%D1%8B%D1%88%D0%B0", "Yandex", "yandex", "крыша"),
        ("https://yandex.ru/yandsearch?text=%EA%F0%FB%F8%E0", "Yandex", "yandex", "крыша"),
        ("https://yandex.kz/", "Yandex", "yandex", None),
        ("https://yandex.com.tr/search/?text=roof", "Yandex", "yandex", "roof"),
        ("https://ya.ru/search/?text=roof", "Yandex", "yandex", "roof"),
        ("https://www.baidu.com/s?wd=%CE%DD%B6%A5", "Baidu", "baidu", "屋顶"),
        ("https://m.baidu.com/s?word=roof", "Baidu", "baidu", "roof"),
        ("https://search.naver.com/search.naver?query=roof", "Naver", "naver", "roof"),
        ("https://search.seznam.cz/?q=roof", "Seznam", "seznam", "roof"),
        ("https://go.mail.ru/search?q=roof", "Mail.ru", "mail.ru", "roof"),
        ("https://www.sogou.com/web?query=roof", "Sogou", "sogou", "roof"),
        ("https://www.so.com/s?q=roof", "360", "360", "roof"),
        ("https://search.daum.net/search?q=roof", "Daum", "daum", "roof"),
        ("https://search.aol.com/aol/search?q=roof", "AOL", "aol", "roof"),
        ("https://www.ask.com/web?q=roof", "Ask", "ask", "roof"),
        ("https://nova.rambler.ru/search?query=roof", "Rambler", "rambler", "roof"),
        ("https://coccoc.com/search?query=roof", "Cốc Cốc", "coccoc", "roof"),
        ("https://swisscows.com/en/web?query=roof", "Swisscows", "swisscows", "roof"),
        ("https://www.mojeek.com/search?q=roof", "Mojeek", "mojeek", "roof"),
        ("android-app://com.google.android.googlequicksearchbox/", "Google", "google", None),
        ("android-app://com.google.android.googlequicksearchbox/https/www.google.com", "Google", "google", None),
        ("https://com.google.android.googlequicksearchbox/", "Google", "google", None),
    ],
)
def test_search_engines(referrer: str, label: str, source: str, keyword: str | None) -> None:
    found = classify(SITE, referrer).source
    assert (found.label, found.channel, found.source) == (f"{label} Organic", "Organic Search", source)
    assert (found.medium, found.keyword) == ("organic", keyword)
    assert classify(SITE + "?utm_medium=cpc", referrer).source.channel == "Paid Search"


@pytest.mark.parametrize("ending", GOOGLE)
def test_googles_regional_hosts(ending: str) -> None:
    assert classify(SITE, f"https://www.google.{ending}/").source.label == "Google Organic"
    assert classify(SITE, f"https://maps.google.{ending}/").source.label == "Google Paid"
    assert classify(SITE, f"https://news.google.{ending}/").source.label == "Google News Organic"


@pytest.mark.parametrize(
    ("referrer", "label", "channel", "source"),
    [
        ("https://m.facebook.com/", "Facebook", "Organic Social", "facebook"),
        ("https://lm.facebook.com/l.php", "Facebook", "Organic Social", "facebook"),
        ("https://l.instagram.com/", "Instagram", "Organic Social", "instagram"),
        ("https://l.threads.com/", "Threads", "Organic Social", "threads"),
        ("https://t.co/Ab1", "X (Twitter)", "Organic Social", "twitter"),
        ("https://x.com/", "X (Twitter)", "Organic Social", "twitter"),
        ("https://www.linkedin.com/feed/", "LinkedIn", "Organic Social", "linkedin"),
        ("https://lnkd.in/x", "LinkedIn", "Organic Social", "linkedin"),
        ("https://www.tiktok.com/", "TikTok", "Organic Social", "tiktok"),
        ("https://out.reddit.com/", "Reddit", "Organic Social", "reddit"),
        ("https://www.pinterest.co.uk/", "Pinterest", "Organic Social", "pinterest"),
        ("https://away.vk.com/away.php", "VK", "Organic Social", "vk"),
        ("https://m.vk.com/", "VK", "Organic Social", "vk"),
        ("https://ok.ru/dk", "OK", "Organic Social", "ok"),
        ("https://web.telegram.org/", "Telegram", "Organic Social", "telegram"),
        ("https://t.me/roofs", "Telegram", "Organic Social", "telegram"),
        ("android-app://org.telegram.messenger", "Telegram", "Organic Social", "telegram"),
        ("https://web.whatsapp.com/", "WhatsApp", "Organic Social", "whatsapp"),
        ("https://wa.me/1306", "WhatsApp", "Organic Social", "whatsapp"),
        ("android-app://com.whatsapp/", "WhatsApp", "Organic Social", "whatsapp"),
        ("https://l.messenger.com/", "Messenger", "Organic Social", "messenger"),
        ("https://nextdoor.com/", "Nextdoor", "Organic Social", "nextdoor"),
        ("https://blog.naver.com/x", "Naver Blog", "Organic Social", "naver-blog"),
        ("https://my.mail.ru/", "Moi Mir", "Organic Social", "my.mail.ru"),
        ("https://dzen.ru/a/1", "Dzen", "Organic Social", "dzen"),
        ("https://stackoverflow.com/q/1", "stackoverflow.com", "Organic Social", "stackoverflow.com"),
        ("https://youtu.be/x", "YouTube", "Organic Video", "youtube"),
        ("https://vimeo.com/1", "Vimeo", "Organic Video", "vimeo"),
        ("https://rutube.ru/video/1", "RuTube", "Organic Video", "rutube"),
        ("https://www.amazon.de/dp/1", "Amazon", "Organic Shopping", "amazon"),
        ("https://www.ebay.co.uk/", "eBay", "Organic Shopping", "ebay"),
        ("https://market.yandex.ru/", "Yandex Market", "Organic Shopping", "yandex-market"),
        ("https://2gis.ru/moscow", "2GIS", "Referral", "2gis"),
        ("https://yandex.ru/maps/213/moscow/", "Yandex Maps", "Organic Search", "yandex"),
        ("https://maps.yandex.ru/", "Yandex Maps", "Organic Search", "yandex"),
        ("https://www.avito.ru/", "Avito", "Referral", "avito"),
        ("https://m.yelp.com/biz/roofs", "Yelp", "Organic Social", "yelp"),
        ("https://www.yellowpages.com/", "Yellow Pages", "Referral", "yellow-pages"),
        ("https://mail.google.com/mail/u/0/", "Gmail", "Email", "gmail"),
        ("android-app://com.google.android.gm/", "Gmail", "Email", "gmail"),
        ("https://outlook.live.com/", "Outlook", "Email", "outlook"),
        ("https://mail.yahoo.com/", "Yahoo Mail", "Email", "yahoo-mail"),
        ("https://e.mail.ru/inbox", "Mail.ru Mail", "Email", "mail-ru"),
        ("https://mail.yandex.ru/", "Yandex Mail", "Email", "yandex-mail"),
        ("https://webmail.shaw.ca/", "webmail.shaw.ca", "Email", "webmail.shaw.ca"),
        ("https://chatgpt.com/", "ChatGPT", "AI Assistant", "chatgpt"),
        ("https://chat.openai.com/", "ChatGPT", "AI Assistant", "chatgpt"),
        ("https://gemini.google.com/app", "Gemini", "AI Assistant", "gemini"),
        ("https://claude.ai/chat/1", "Claude", "AI Assistant", "claude"),
        ("https://copilot.microsoft.com/", "Copilot", "AI Assistant", "copilot"),
        ("https://www.perplexity.ai/search/1", "Perplexity", "AI Assistant", "perplexity"),
        ("https://chat.deepseek.com/", "DeepSeek", "AI Assistant", "deepseek"),
        ("https://x.com/i/grok", "Grok", "AI Assistant", "grok"),
        ("https://docs.google.com/document/d/1", "Google Docs", "Referral", "google-docs"),
        ("android-app://com.example.roofs/", "com.example.roofs", "Referral", "com.example.roofs"),
        ("https://www.blog.partner.example/a", "blog.partner.example", "Referral", "blog.partner.example"),
        ("https://xn--e1afmkfd.xn--p1ai/", "xn--e1afmkfd.xn--p1ai", "Referral", "xn--e1afmkfd.xn--p1ai"),
        ("https://пример.рф/", "xn--e1afmkfd.xn--p1ai", "Referral", "xn--e1afmkfd.xn--p1ai"),
        ("http://192.0.2.7:8080/x", "192.0.2.7", "Referral", "192.0.2.7"),
        ("http://[2001:DB8::1]:8080/x", "2001:db8::1", "Referral", "2001:db8::1"),
    ],
)
def test_the_families(referrer: str, label: str, channel: str, source: str) -> None:
    found = classify(SITE, referrer).source
    assert (found.label, found.channel, found.source) == (label, channel, source)


@pytest.mark.parametrize(
    "host",
    [
        "notgoogle.com",
        "google.com.evil.example",
        "google.evil.example",
        "xgoogle.de",
        "google.com-login.example",
        "googlecom.example",
        "google.zip",
        "mybing.com",
        "bing.com.evil.example",
        "notfacebook.com",
        "facebook.com.evil.example",
        "netflix.co",
        "at.com",
        "paypal.com.evil.example",
        "chatgpt.community.example",
    ],
)
def test_hosts_that_only_look_like_one(host: str) -> None:
    decision = classify(SITE, f"https://{host}/google.com?q=google.com#google.com")
    assert (decision.source.label, decision.source.channel, decision.rule) == (host, "Referral", "referral")


@pytest.mark.parametrize(
    ("referrer", "label"),
    [
        ("https://google.com@evil.example/", "evil.example"),
        ("https://evil.example:443@google.com/", "Google Organic"),
        ("https://evil.example\\@google.com/", "evil.example"),
        ("https://evil.example/https://www.google.com/", "evil.example"),
        ("https://evil.example?https://www.google.com/", "evil.example"),
        ("https://evil.example#@google.com/", "evil.example"),
        ("https://ｇｏｏｇｌｅ.com/", "Google Organic"),
        ("https://gооgle.com/", "xn--ggle-55da.com"),
        ("https://GOOGLE.COM:443/", "Google Organic"),
        ("https:\\\\www.google.com\\search", "Google Organic"),
        ("//www.google.com/", "Google Organic"),
        ("  https://www.google.com/\n", "Google Organic"),
        ("https://www.goo\ngle.com/", "Google Organic"),
        ("http://%67oogle.com/", "Google Organic"),
    ],
)
def test_disguised_hosts_are_read_as_a_browser_reads_them(referrer: str, label: str) -> None:
    assert classify(SITE, referrer).source.label == label


@pytest.mark.parametrize(
    "referrer",
    ["-", "null", "about:blank", "about:srcdoc", "data:text/html,x", "mailto:a@google.com", "javascript:google.com",
     "file:///C:/x.html", "chrome-extension://abc/x", "https://", "https:///", "http://.../", "http://a..b/", "/x",
     "?x", "#google.com", "google", "https://" + "a" * 300 + ".com/", "https://[::g]/", "http://exa mple.com/"],
)  # fmt: skip
def test_what_is_no_referrer_is_none(referrer: str) -> None:
    assert classify(SITE, referrer).source.label == "Direct"


@pytest.mark.parametrize(
    "tag", ["not-linkedin", "linkedin2", "xlinkedin", "linked in", "googlex", "facebook.com.evil.example"]
)
def test_a_tag_counts_whole(tag: str) -> None:
    found = classify(f"{SITE}?utm_source={tag}", "").source
    assert (found.label, found.source, found.channel) == (tag, tag, "Unassigned")


@pytest.mark.parametrize(
    ("tag", "label"),
    [
        ("LinkedIn", "LinkedIn"), ("linkedin.com", "LinkedIn"), ("www.linkedin.com", "LinkedIn"),
        ("l.facebook.com", "Facebook"), ("IG", "Instagram"), ("vk", "VK"), ("tg", "Telegram"), ("2gis", "2GIS"),
        ("google ads", "Google Paid"), ("duckduckgo", "DuckDuckGo Organic"), ("badoo", "badoo"), ("yelp", "Yelp"),
    ],
)  # fmt: skip
def test_tags_by_their_names_and_hosts(tag: str, label: str) -> None:
    assert classify(f"{SITE}?utm_source={tag}", "").source.label == label


def test_own_domains_of_a_company() -> None:
    rules = Classifier(default_rule_set().with_own_domains("roofs.example", "roofs-shop.example"))
    assert not rules.decide(SITE, "https://checkout.roofs-shop.example/done").is_touch
    assert rules.decide(SITE, "https://notroofs-shop.example/").is_touch


def test_every_host_leads_to_a_rule_of_its_kind() -> None:
    """No place is hidden behind another: each of its hosts and words leads to its own name."""
    rule_set = default_rule_set()
    of_referrer = default_classifier()._places.of_referrer
    from gateway.visits.address import split
    from gateway.visits.checks import hosts_written

    for place in rule_set.places:
        for host in hosts_written(place.hosts, rule_set.endings):
            assert of_referrer(split(f"https://{host}")) == place, host
        for app in place.apps:
            assert of_referrer(split(f"android-app://{app}/")) == place, app
        for tag in place.tags:
            assert default_classifier()._places.of_tag(tag) == place, tag


def test_the_default_set_is_read_back_as_it_is() -> None:
    rule_set = default_rule_set()
    assert RuleSet.from_json(rule_set.to_json()) == rule_set
