"""What templates say, in each language."""

from pathlib import Path

import pytest
from jinja2 import DictLoader

from gateway.assets import asset_folder
from gateway.http.rendering import Templates

SAID = {
    "short": ("{{ _('Removed on %(day)s.', day='23 окт.') }}", "Removed on 23 окт."),
    "hour": ("{{ _('At %(time)s. Then more.', time='10:42 a.m.') }}", "At 10:42 a.m. Then more."),
    "plural": ("{{ ngettext('%(num)s call, on %(day)s.', '%(num)s calls, on %(day)s.', 2, day='3 янв.') }}", None),
    "block": ("{% trans day='3 янв.' %}Came on {{ day }}.{% endtrans %}", "Came on 3 янв."),
    "ellipsis": ("{{ _('Wait...') }}", "Wait..."),
    "path": ("{{ _('See %(path)s', path='/a/../b..c') }}", "See /a/../b..c"),
    "escaped": ("{{ _('By %(who)s.', who='<b>Co.') }}", "By &lt;b&gt;Co."),
}


@pytest.mark.parametrize("name", SAID)
def test_a_sentence_ends_in_one_stop_whatever_it_ends_with(name: str) -> None:
    text, wanted = SAID[name]
    templates = Templates(asset_folder("web"))
    environment = templates._environment(Path("nowhere"), templates.languages["en"])
    environment.loader = DictLoader({"said": text})
    assert environment.get_template("said").render() == (wanted or "2 calls, on 3 янв.")
