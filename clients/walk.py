"""The main path through the client that openapi-python-client makes. What is not answered as the document says is a
fault of the document: its models raise where a field is missing or a word is not of its list."""

import sys
import time
from datetime import date
from http import HTTPStatus
from io import BytesIO
from uuid import UUID

from ace_client import AuthenticatedClient, models
from ace_client.api.campaigns import (
    get_campaigns,
    get_campaigns_id_checklist,
    get_campaigns_id_launch,
    get_campaigns_id_recipients,
    patch_campaigns_id,
    post_campaigns,
    post_campaigns_id_launch,
)
from ace_client.api.contacts import post_contacts
from ace_client.api.credits_ import get_credits
from ace_client.api.forms import post_forms, post_forms_id_publish
from ace_client.api.landing_pages import post_landing_pages, post_landing_pages_id_publish
from ace_client.api.lists import post_lists, post_lists_id_members
from ace_client.api.pools import get_pools, post_pools, post_pools_id_cards
from ace_client.api.templates import post_templates
from ace_client.types import File

BASE, KEY, BRAND = sys.argv[1:4]
ace = AuthenticatedClient(base_url=BASE, token=KEY)


def good(operation, *arguments, **named):
    """The parsed answer of an operation that must succeed."""
    answer = operation.sync_detailed(*arguments, client=ace, **named)
    assert answer.status_code < HTTPStatus.BAD_REQUEST, (operation.__name__, answer.status_code, answer.content)
    assert answer.parsed is not None, (operation.__name__, answer.content)
    return answer.parsed


people = good(post_lists, body=models.ListInput(name="Roofs of Python"))
ids = []
for first_name in ["Dee", "Eve", "Fay"]:
    contact = models.ContactInput(
        first_name=first_name, last_name="Typed", address="14 Elm Street", city="Columbus", state="OH", zip_="43215",
        email=f"{first_name}.py@example.com",
    )
    ids.append(good(post_contacts, body=contact).id)
assert good(post_lists_id_members, people.id, body=models.Members(contact_ids=ids)).contact_count == 3

card = models.TemplateInput(name="Card of Python", size=models.MailSize("6x9"), front="Hello", back="Call us")
template = good(post_templates, body=card)
field = models.FormField(id="email", type_=models.FormFieldType.EMAIL, label="E-mail", required=True)
form = good(post_forms, body=models.FormInput(name="Form of Python", form_config=models.FormConfig(fields=[field])))
good(post_forms_id_publish, form.id)
page = models.LandingPageInput(name="Page of Python", html="<h1>Hello</h1>{{form}}", form_id=str(form.id))
page = good(post_landing_pages, body=page)
good(post_landing_pages_id_publish, page.id)

pool = good(post_pools, body=models.PoolInput(pool_name="Cards of Python", brand_id=UUID(BRAND), value_amount="25.00"))
codes = File(payload=BytesIO(b"code\nPYA-0001\nPYA-0002\nPYA-0003\n"))
assert good(post_pools_id_cards, pool.id, body=codes).added == 3
assert any(known.id == pool.id and known.available_cards == 3 for known in good(get_pools).data)

condition = models.ConditionInput(
    trigger_type=models.Trigger.FORM_SUBMIT, gift_card_pool_id=pool.id,
    delivery_channel=models.DeliveryChannel.EMAIL, email_subject="Your card",
    email_template="{{card}}",
)
campaign = good(post_campaigns, body=models.CampaignInput(
    name="Campaign of Python", size=models.MailSize("6x9"), postage=models.Postage.STANDARD, mail_date=date(2031, 5, 4), contact_list_id=people.id,
    template_id=template.id, landing_page_id=page.id, conditions=[condition],
))
renamed = good(patch_campaigns_id, campaign.id, body=models.CampaignPatch(name="Campaign of openapi-python-client"))
assert len(renamed.conditions) == 1
assert all(item.level != "missing" for item in good(get_campaigns_id_checklist, campaign.id).items)
launch = good(post_campaigns_id_launch, campaign.id)
for _ in range(300):
    if launch.state != "running":
        break
    time.sleep(0.1)
    launch = good(get_campaigns_id_launch, campaign.id)
assert launch.state == "finished", launch
rows = good(get_campaigns_id_recipients, campaign.id, limit=2)
more = good(get_campaigns_id_recipients, campaign.id, limit=2, after=rows.next_)
assert sorted(row.first_name for row in rows.data + more.data) == ["Dee", "Eve", "Fay"] and more.next_ is None
assert isinstance(good(get_credits).balance, int)
assert good(get_campaigns, status=models.GetCampaignsStatus.READY).data
print("openapi-python-client: the main path was walked")
