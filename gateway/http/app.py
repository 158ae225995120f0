"""The pages as an aiohttp application: the route table, and what every request goes through."""

from collections.abc import AsyncIterator

from aiohttp import web

from gateway.http import (
    account_pages,
    advice_pages,
    amount_pages,
    answering_pages,
    api,
    audit_pages,
    call_export,
    call_marks,
    call_page,
    call_pages,
    caller_pages,
    company_pages,
    company_settings,
    conversation_pages,
    destination_pages,
    example_pages,
    import_pages,
    invitation_pages,
    lead_pages,
    lead_rule,
    learned_pages,
    live,
    mail_changes,
    mail_pages,
    missed_pages,
    money_pages,
    needs_view,
    number_pages,
    operations,
    overview_page,
    people_pages,
    person_changes,
    pool_pages,
    program_pages,
    recording,
    recording_rules,
    removals,
    report_export,
    report_pages,
    saved_views,
    second_step,
    sign_in,
    site_check_pages,
    site_pages,
    source_page,
    source_pages,
    source_runs,
    spend_import_pages,
    subscriber_pages,
    tag_pages,
    text_settings,
    user_pages,
    visitor_pages,
)
from gateway.http.errors import answer_refusals
from gateway.http.keys import PARTS, PagesParts
from gateway.http.openapi import openapi
from gateway.http.permissions import Permission
from gateway.http.protection import add_security_headers, believe_proxies, same_site_only
from gateway.http.rendering import TEMPLATES, static_file, templates_of_checkout_or_wheel
from gateway.http.routing import ROUTES, Answers, Route, add_routes, guard, refuse_open_routes
from gateway.http.table_export import Format
from gateway.http.undo import REVERSALS, Reversal, undo

__all__ = ["TABLE", "PagesParts", "pages_app"]

# A sign-in form is the largest thing anybody posts here.
LARGEST_BODY = 64 * 1024

PAGE, DATA = Answers.PAGE, Answers.DATA
_ID = "{id:[0-9]{1,19}}"
_NUMBER = "{number:[0-9]{1,19}}"
_VERSION = "{version:[0-9]{1,9}}"
_CHECK = "{check:[0-9]{1,19}}"
_VISIT = "{visit:[0-9a-f-]{36}}"
_VISITOR = "{visitor:[0-9a-f-]{36}}"
_TOKEN = "{token:[A-Za-z0-9_-]{1,100}}"


async def _openapi(_request: web.Request) -> web.StreamResponse:
    return web.json_response(openapi(TABLE))


async def _favicon(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/static/{_request.app[TEMPLATES].static_version}/mark.svg")


TABLE: tuple[Route, ...] = (
    Route("GET", "/", overview_page.home, Permission.SIGNED_IN),
    Route("GET", "/overview", overview_page.overview, Permission.REPORTS_READ),
    Route("POST", "/overview/put-off", needs_view.put_off, Permission.SETTINGS_WRITE),
    Route("GET", "/calls", call_pages.call_log, Permission.CALLS_READ),
    Route("GET", "/calls/filters", call_pages.filters, Permission.CALLS_READ),
    Route("GET", "/calls/export.csv", call_export.as_csv, Permission.CALLS_EXPORT),
    Route("GET", "/calls/export.xlsx", call_export.as_xlsx, Permission.CALLS_EXPORT),
    Route("POST", "/calls/views", saved_views.keep(saved_views.CALLS), Permission.CALLS_READ),
    Route("POST", "/calls/views/{view:[0-9]{1,19}}/remove", saved_views.remove, Permission.CALLS_READ),
    Route("GET", f"/calls/{_ID}", call_page.one_call, Permission.CALLS_READ),
    Route("GET", f"/calls/{_ID}/marks", call_marks.marks_page, Permission.CALLS_MARK),
    Route("POST", f"/calls/{_ID}/status", call_marks.set_status, Permission.CALLS_MARK),
    Route("POST", f"/calls/{_ID}/note", call_marks.set_note, Permission.CALLS_MARK),
    Route("POST", f"/calls/{_ID}/tags", call_marks.add_tag, Permission.CALLS_MARK),
    Route("POST", f"/calls/{_ID}/tags/remove", call_marks.remove_tag, Permission.CALLS_MARK),
    Route("POST", f"/calls/{_ID}/job", call_marks.set_job, Permission.CALLS_MARK),
    Route("POST", f"/calls/{_ID}/job/remove", call_marks.remove_job, Permission.CALLS_MARK),
    Route("GET", f"/leads/{lead_pages.LEAD_ID}", lead_pages.one_lead, Permission.CALLS_READ),
    Route("GET", f"/leads/{lead_pages.LEAD_ID}/marks", call_marks.marks_page, Permission.CALLS_MARK),
    Route("POST", f"/leads/{lead_pages.LEAD_ID}/status", call_marks.set_status, Permission.CALLS_MARK),
    Route("POST", f"/leads/{lead_pages.LEAD_ID}/note", call_marks.set_note, Permission.CALLS_MARK),
    Route("POST", f"/leads/{lead_pages.LEAD_ID}/tags", call_marks.add_tag, Permission.CALLS_MARK),
    Route("POST", f"/leads/{lead_pages.LEAD_ID}/tags/remove", call_marks.remove_tag, Permission.CALLS_MARK),
    Route("POST", f"/leads/{lead_pages.LEAD_ID}/job", call_marks.set_job, Permission.CALLS_MARK),
    Route("POST", f"/leads/{lead_pages.LEAD_ID}/job/remove", call_marks.remove_job, Permission.CALLS_MARK),
    Route("POST", f"/leads/{lead_pages.LEAD_ID}/written-by", lead_pages.judge, Permission.CALLS_MARK),
    Route("GET", f"/calls/{_ID}/recording", recording.play, Permission.RECORDINGS_HEAR, DATA),
    Route("GET", f"/calls/{_ID}/recording.wav", recording.download, Permission.RECORDINGS_HEAR, PAGE),
    Route("POST", f"/calls/{_ID}/called-back", missed_pages.called_back, Permission.CALLS_MARK),
    Route("GET", "/reports", report_pages.report_page, Permission.REPORTS_READ),
    Route("GET", "/reports/export.csv", report_export.export(Format.CSV), Permission.CALLS_EXPORT),
    Route("GET", "/reports/export.xlsx", report_export.export(Format.XLSX), Permission.CALLS_EXPORT),
    Route("GET", "/reports/months", report_pages.months_page, Permission.REPORTS_READ),
    Route("GET", "/reports/months/export.csv", report_export.export_months(Format.CSV), Permission.CALLS_EXPORT),
    Route("GET", "/reports/months/export.xlsx", report_export.export_months(Format.XLSX), Permission.CALLS_EXPORT),
    Route("POST", "/reports/views", saved_views.keep(report_pages.REPORTS), Permission.REPORTS_READ),
    Route("POST", "/reports/views/{view:[0-9]{1,19}}/remove", saved_views.remove, Permission.REPORTS_READ),
    Route("GET", "/reports/missed", missed_pages.missed_calls, Permission.REPORTS_READ),
    Route("GET", "/reports/missed/export.csv", missed_pages.as_csv, Permission.CALLS_EXPORT),
    Route("GET", "/reports/missed/export.xlsx", missed_pages.as_xlsx, Permission.CALLS_EXPORT),
    Route("GET", "/reports/answering", answering_pages.who_answers, Permission.REPORTS_READ),
    Route("GET", "/reports/answering/export.csv", answering_pages.as_csv, Permission.CALLS_EXPORT),
    Route("GET", "/reports/answering/export.xlsx", answering_pages.as_xlsx, Permission.CALLS_EXPORT),
    Route("GET", "/visitors", visitor_pages.all_visits, Permission.VISITORS_READ),
    Route("GET", f"/visitors/{_VISIT}", visitor_pages.by_visit, Permission.VISITORS_READ),
    Route("GET", f"/visitors/of/{_VISITOR}", visitor_pages.by_visitor, Permission.VISITORS_READ),
    Route("POST", f"/visitors/{_VISIT}/forget", visitor_pages.forget, Permission.RECORDINGS_DELETE),
    Route("GET", "/conversations", conversation_pages.all_talks, Permission.TEXTS_READ),
    Route("GET", f"/conversations/{_ID}", conversation_pages.one_talk, Permission.TEXTS_READ),
    Route("POST", f"/conversations/{_ID}", conversation_pages.answer, Permission.TEXTS_WRITE),
    Route("POST", f"/conversations/{_ID}/again", conversation_pages.send_again, Permission.TEXTS_WRITE),
    Route("GET", "/conversations/of/{lead:[0-9a-f-]{36}}", conversation_pages.of_lead, Permission.TEXTS_READ),
    Route("GET", "/people", people_pages.all_people, Permission.PEOPLE_READ),
    Route("GET", f"/people/{_ID}", people_pages.one_person, Permission.PEOPLE_READ),
    Route("GET", f"/people/{_ID}/join", person_changes.join_page, Permission.PEOPLE_CHANGE),
    Route("POST", f"/people/{_ID}/join", person_changes.join, Permission.PEOPLE_CHANGE),
    Route("GET", f"/people/{_ID}/split", person_changes.split_page, Permission.PEOPLE_CHANGE),
    Route("POST", f"/people/{_ID}/split", person_changes.split, Permission.PEOPLE_CHANGE),
    Route("POST", f"/people/{_ID}/name", person_changes.set_name, Permission.PEOPLE_CHANGE),
    Route("POST", f"/people/{_ID}/note", person_changes.set_note, Permission.PEOPLE_CHANGE),
    Route("POST", f"/people/{_ID}/share", person_changes.share, Permission.PEOPLE_CHANGE),
    Route("GET", "/money", money_pages.money_page, Permission.REPORTS_READ),
    Route("POST", "/money/months", money_pages.type_months, Permission.SETTINGS_WRITE),
    Route("GET", "/money/amounts", amount_pages.amounts_page, Permission.REPORTS_READ),
    Route("POST", "/money/amounts", amount_pages.add_amount, Permission.SETTINGS_WRITE),
    Route("POST", f"/money/amounts/{_ID}/remove", amount_pages.remove_amount, Permission.SETTINGS_WRITE),
    Route("GET", "/money/import", spend_import_pages.import_page, Permission.SETTINGS_WRITE),
    Route("POST", "/money/import", spend_import_pages.import_export, Permission.SETTINGS_WRITE),
    Route("POST", f"/money/imports/{_ID}/remove", amount_pages.remove_import, Permission.SETTINGS_WRITE),
    Route("GET", "/companies", company_pages.overview, Permission.REPORTS_READ),
    Route("GET", "/settings", company_pages.settings, Permission.SIGNED_IN),
    Route("POST", f"/undo/{_ID}", undo, Permission.SIGNED_IN),
    Route("GET", "/events", live.events, Permission.CALLS_READ, DATA),
    Route("GET", "/sign-in", sign_in.sign_in_page, Permission.PUBLIC),
    Route("POST", "/sign-in", sign_in.sign_in, Permission.PUBLIC),
    Route("GET", "/sign-in/code", sign_in.code_page, Permission.PUBLIC),
    Route("POST", "/sign-in/code", sign_in.show_code, Permission.PUBLIC),
    Route("GET", f"/sign-in/link/{_TOKEN}", sign_in.link_page, Permission.PUBLIC),
    Route("POST", f"/sign-in/link/{_TOKEN}", sign_in.use_link, Permission.PUBLIC),
    Route("GET", "/sign-in/forgotten", sign_in.forgotten_page, Permission.PUBLIC),
    Route("POST", "/sign-in/forgotten", sign_in.forgotten, Permission.PUBLIC),
    Route("GET", f"/sign-in/reset/{_TOKEN}", sign_in.reset_page, Permission.PUBLIC),
    Route("POST", f"/sign-in/reset/{_TOKEN}", sign_in.reset, Permission.PUBLIC),
    Route("POST", "/sign-out", sign_in.sign_out, Permission.SIGNED_IN),
    Route("GET", "/welcome", account_pages.welcome, Permission.SIGNED_IN),
    Route("GET", "/account", account_pages.account_page, Permission.SIGNED_IN),
    Route("POST", "/account/name", account_pages.change_name, Permission.SIGNED_IN),
    Route("POST", "/account/language", account_pages.change_language, Permission.SIGNED_IN),
    Route("POST", "/account/password", account_pages.change_password, Permission.SIGNED_IN),
    Route("POST", f"/account/sessions/{_ID}/end", account_pages.end_session, Permission.SIGNED_IN),
    Route("POST", "/account/sessions/end", account_pages.end_other_sessions, Permission.SIGNED_IN),
    Route("GET", "/account/second-step", account_pages.second_step_page, Permission.SIGNED_IN),
    Route("POST", "/account/second-step", account_pages.turn_on, Permission.SIGNED_IN),
    Route("POST", "/account/second-step/off", account_pages.turn_off, Permission.SIGNED_IN),
    Route("POST", "/account/second-step/codes", account_pages.renew_codes, Permission.SIGNED_IN),
    Route("GET", f"/invitation/{_TOKEN}", invitation_pages.invitation_page, Permission.PUBLIC),
    Route("POST", f"/invitation/{_TOKEN}", invitation_pages.accept, Permission.PUBLIC),
    Route("GET", "/settings/users", user_pages.users, Permission.USERS_MANAGE),
    Route("GET", "/settings/users/invite", invitation_pages.invite_page, Permission.USERS_MANAGE),
    Route("POST", "/settings/users/invite", invitation_pages.invite, Permission.USERS_MANAGE),
    Route("GET", f"/settings/users/{_ID}", user_pages.one_user, Permission.USERS_MANAGE),
    Route("POST", f"/settings/users/{_ID}", user_pages.change_user, Permission.USERS_MANAGE),
    Route("POST", f"/settings/users/{_ID}/remove", user_pages.remove_user, Permission.USERS_MANAGE),
    Route("POST", f"/settings/invitations/{_ID}/renew", invitation_pages.renew, Permission.USERS_MANAGE),
    Route("POST", f"/settings/invitations/{_ID}/withdraw", invitation_pages.withdraw, Permission.USERS_MANAGE),
    Route("GET", "/settings/audit", audit_pages.audit_log, Permission.AUDIT_READ),
    Route("GET", "/settings/audit.csv", audit_pages.export, Permission.AUDIT_READ),
    Route("GET", "/settings/sites", site_pages.all_sites, Permission.SETTINGS_READ),
    Route("POST", "/settings/sites", site_pages.add_site, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/sites/new", site_pages.new_site_page, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/sites/{_ID}", site_pages.one_site_page, Permission.SETTINGS_READ),
    Route("POST", f"/settings/sites/{_ID}", site_pages.change_site, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/sites/{_ID}/numbers", site_pages.add_number, Permission.SETTINGS_WRITE),
    Route(
        "POST", f"/settings/sites/{_ID}/numbers/{_NUMBER}/remove", site_pages.remove_number, Permission.SETTINGS_WRITE
    ),
    Route("POST", f"/settings/sites/{_ID}/remove", removals.remove_site, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/sites/{_ID}/checks", site_check_pages.begin, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/sites/{_ID}/checks/{_CHECK}", site_check_pages.report, Permission.SETTINGS_READ),
    Route(
        "GET",
        f"/settings/sites/{_ID}/checks/{_CHECK}/progress",
        site_check_pages.progress,
        Permission.SETTINGS_READ,
        DATA,
    ),
    Route("GET", "/settings/company", company_settings.company_page, Permission.SETTINGS_READ),
    Route("POST", "/settings/company", company_settings.change_company, Permission.SETTINGS_WRITE),
    Route("POST", "/settings/company/default", company_settings.take_default, Permission.COMPANY_MANAGE),
    Route("POST", "/settings/company/example", example_pages.remove_example, Permission.COMPANY_MANAGE),
    Route("GET", "/settings/company/new", company_settings.new_company_page, Permission.COMPANY_MANAGE),
    Route("POST", "/settings/company/new", company_settings.add_company, Permission.COMPANY_MANAGE),
    Route("GET", "/settings/pools", pool_pages.all_pools, Permission.SETTINGS_READ),
    Route("POST", "/settings/pools", pool_pages.add_pool, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/pools/new", pool_pages.new_pool_page, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/pools/{_ID}", pool_pages.one_pool_page, Permission.SETTINGS_READ),
    Route("POST", f"/settings/pools/{_ID}", pool_pages.change_pool, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/pools/{_ID}/numbers", number_pages.change_numbers, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/pools/{_ID}/remove", removals.remove_pool, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/pools/{_ID}/import", import_pages.import_page, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/pools/{_ID}/import", import_pages.import_list, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/pools/{_ID}/advice", advice_pages.advice_page, Permission.SETTINGS_READ),
    Route("POST", f"/settings/pools/{_ID}/advice", advice_pages.ask, Permission.SETTINGS_READ),
    Route("GET", "/settings/learned", learned_pages.learned_page, Permission.SETTINGS_READ),
    Route("GET", "/settings/sources", source_pages.sources_page, Permission.SETTINGS_READ),
    Route("POST", "/settings/sources", source_pages.add_source, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/sources/rules", source_pages.edit_rules, Permission.SETTINGS_WRITE),
    Route("POST", "/settings/sources/rules", source_pages.change_rules, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/sources/runs/{_ID}", source_runs.run_page, Permission.SETTINGS_READ),
    Route("POST", f"/settings/sources/runs/{_ID}/stop", source_runs.stop_run, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/sources/versions/{_VERSION}", source_runs.version_page, Permission.SETTINGS_READ),
    Route("POST", f"/settings/sources/versions/{_VERSION}/back", source_runs.go_back, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/sources/{_ID}", source_page.one_source_page, Permission.SETTINGS_READ),
    Route("POST", f"/settings/sources/{_ID}", source_page.change_source, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/sources/{_ID}/hide", source_page.hide_source, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/sources/{_ID}/merge", source_page.merge_source, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/numbers/{_ID}", number_pages.one_number_page, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/numbers/{_ID}", number_pages.change_number, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/destinations", destination_pages.all_destinations, Permission.SETTINGS_READ),
    Route("POST", "/settings/destinations", destination_pages.add, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/destinations/new", destination_pages.new_page, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/destinations/{_ID}", destination_pages.one_page, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/destinations/{_ID}", destination_pages.change, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/destinations/{_ID}/remove", destination_pages.remove, Permission.SETTINGS_WRITE),
    Route("POST", "/settings/destinations/callers", caller_pages.set_rule, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/destinations/callers/{_ID}/remove", caller_pages.forget, Permission.SETTINGS_WRITE),
    Route("GET", program_pages.PATH, program_pages.all_programs, Permission.SETTINGS_READ),
    Route("POST", program_pages.PATH, program_pages.add_program, Permission.SETTINGS_WRITE),
    Route("POST", f"{program_pages.PATH}/{_ID}/remove", program_pages.remove, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/tags", tag_pages.all_tags, Permission.SETTINGS_READ),
    Route("POST", "/settings/tags", tag_pages.add_tag, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/tags/{_ID}", tag_pages.one_tag_page, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/tags/{_ID}", tag_pages.rename_tag, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/tags/{_ID}/remove", tag_pages.remove_tag, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/leads", lead_rule.rule_page, Permission.SETTINGS_READ),
    Route("POST", "/settings/leads", lead_rule.change, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/recording", recording_rules.rules_page, Permission.SETTINGS_READ),
    Route("POST", "/settings/recording", recording_rules.change, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/mail", mail_pages.all_mail, Permission.CALLS_READ),
    Route("POST", "/settings/mail", mail_changes.add, Permission.CALLS_READ),
    Route("GET", "/settings/mail/new", mail_pages.new_page, Permission.CALLS_READ),
    Route("GET", "/settings/mail/preview", mail_pages.preview, Permission.CALLS_READ),
    Route("GET", f"/settings/mail/{_ID}", mail_pages.one_page, Permission.CALLS_READ),
    Route("POST", f"/settings/mail/{_ID}", mail_changes.change, Permission.CALLS_READ),
    Route("POST", f"/settings/mail/{_ID}/now", mail_changes.send_now, Permission.CALLS_READ),
    Route("POST", f"/settings/mail/{_ID}/pause", mail_changes.pause, Permission.CALLS_READ),
    Route("POST", f"/settings/mail/{_ID}/resume", mail_changes.resume, Permission.CALLS_READ),
    Route("POST", f"/settings/mail/{_ID}/remove", mail_changes.remove, Permission.CALLS_READ),
    # From the links in mails: a signed token is all they ask for. Mail programs post the first themselves (RFC 8058).
    Route("GET", f"/mail/leave/{_TOKEN}", subscriber_pages.leave_page, Permission.PUBLIC),
    Route("POST", f"/mail/leave/{_TOKEN}", subscriber_pages.leave, Permission.PUBLIC, from_anywhere=True),
    Route("GET", f"/mail/confirm/{_TOKEN}", subscriber_pages.confirm_page, Permission.PUBLIC),
    Route("POST", f"/mail/confirm/{_TOKEN}", subscriber_pages.confirm, Permission.PUBLIC),
    Route("GET", "/settings/texts", text_settings.all_accounts, Permission.SETTINGS_READ),
    Route("POST", "/settings/texts/mail", text_settings.set_mail, Permission.SETTINGS_WRITE),
    Route("GET", "/settings/texts/new", text_settings.new_page, Permission.SETTINGS_WRITE),
    Route("POST", "/settings/texts/new", text_settings.add, Permission.SETTINGS_WRITE),
    Route("GET", f"/settings/texts/{_ID}", text_settings.one_account, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/texts/{_ID}", text_settings.change, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/texts/{_ID}/try", text_settings.try_address, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/texts/{_ID}/address", text_settings.renew_address, Permission.SETTINGS_WRITE),
    Route("POST", f"/settings/texts/{_ID}/remove", text_settings.remove, Permission.SETTINGS_WRITE),
    Route("POST", f"/calls/{_ID}/recording/delete", recording_rules.delete_one, Permission.RECORDINGS_DELETE),
    Route("POST", "/language", sign_in.choose_language, Permission.PUBLIC),
    Route(
        "GET",
        "/api/v1/calls",
        api.list_calls,
        Permission.CALLS_READ,
        DATA,
        summary="Ended calls, newest first",
        result=api.CallList,
        query=api.CallQuery,
    ),
    Route(
        "GET",
        f"/api/v1/calls/{_ID}",
        api.get_call,
        Permission.CALLS_READ,
        DATA,
        summary="One call",
        result=api.CallDetailsModel,
    ),
    Route("GET", "/openapi.json", _openapi, Permission.PUBLIC, DATA),
    Route("GET", "/healthz", operations.healthz, Permission.PUBLIC, DATA),
    Route("GET", "/metrics", operations.metrics, Permission.LOCAL, DATA),
    Route("GET", "/favicon.ico", _favicon, Permission.PUBLIC, DATA),
    Route("GET", "/static/{version:[0-9a-f]{1,64}}/{file:[a-z-]+\\.[a-z]+}", static_file, Permission.PUBLIC, DATA),
)

# How each kind of change is taken back.
TAKEN_BACK: dict[str, Reversal] = {
    **call_marks.REVERSALS,
    **money_pages.REVERSALS,
    **amount_pages.REVERSALS,
    **spend_import_pages.REVERSALS,
    **missed_pages.REVERSALS,
    **needs_view.REVERSALS,
    **recording_rules.REVERSALS,
    **lead_pages.REVERSALS,
    **lead_rule.REVERSALS,
    **caller_pages.REVERSALS,
    **destination_pages.REVERSALS,
    **company_settings.REVERSALS,
    **person_changes.REVERSALS,
    **saved_views.REVERSALS,
    **mail_changes.REVERSALS,
    **source_page.REVERSALS,
    **program_pages.REVERSALS,
    **tag_pages.REVERSALS,
    **text_settings.REVERSALS,
    **removals.REVERSALS,
    "site.changed": Reversal(Permission.SETTINGS_WRITE, site_pages.take_back_change),
    "site.number_removed": Reversal(Permission.SETTINGS_WRITE, site_pages.take_back_removal),
    "pool.changed": Reversal(Permission.SETTINGS_WRITE, pool_pages.take_back_change),
    "numbers.changed": Reversal(Permission.SETTINGS_WRITE, number_pages.take_back_changes),
    "numbers.removed": Reversal(Permission.SETTINGS_WRITE, number_pages.take_back_removal),
    "numbers.imported": Reversal(Permission.SETTINGS_WRITE, number_pages.take_back_import),
    "user.changed": Reversal(Permission.USERS_MANAGE, user_pages.take_back_change),
    "user.removed": Reversal(Permission.USERS_MANAGE, user_pages.take_back_removal),
    "invitation.withdrawn": Reversal(Permission.USERS_MANAGE, invitation_pages.take_back_withdrawal),
}


def pages_app(parts: PagesParts) -> web.Application:
    """The application; raises RouteWithoutPermission where a route says not who may use it."""
    app = web.Application(
        middlewares=[
            believe_proxies(parts.settings.pages.trusted_proxies),
            operations.measure,
            answer_refusals,
            same_site_only,
            guard,
        ],
        client_max_size=LARGEST_BODY,
    )
    app[PARTS] = parts
    app[ROUTES] = {}
    app[TEMPLATES] = templates_of_checkout_or_wheel()
    app[REVERSALS] = TAKEN_BACK
    streams = app[live.STREAMS] = live.Streams()
    add_routes(app, TABLE)
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.append(streams.end)
    app.cleanup_ctx.append(_only_routes_of_the_table)
    app.cleanup_ctx.append(second_step.sealed_at_start)
    app.cleanup_ctx.append(advice_pages.trials_of_app)
    return app


async def _only_routes_of_the_table(app: web.Application) -> AsyncIterator[None]:
    refuse_open_routes(app)
    yield
