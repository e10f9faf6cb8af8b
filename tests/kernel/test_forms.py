"""Every form is drawn by the same templates: label, control, help, errors, tied together."""

import re

from django import forms


class Example(forms.Form):
    name = forms.CharField(help_text="Staff see <it>.")
    note = forms.CharField(required=False, widget=forms.Textarea)
    product = forms.ChoiceField(
        choices=[("1", "Melati")], widget=forms.Select(attrs={"class": "w7"})
    )
    agree = forms.BooleanField(required=False)
    password = forms.CharField(widget=forms.PasswordInput)
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)


def test_a_control_carries_the_class_of_the_style_sheet() -> None:
    form = Example()
    assert 'class="input"' in str(form["name"])
    assert 'class="textarea"' in str(form["note"])
    assert 'class="select w7"' in str(form["product"])
    assert "class" not in str(form["agree"])


def test_only_what_is_optional_says_so() -> None:
    form = Example()
    assert "(optional)" in form["note"].as_field_group()
    assert "(optional)" not in form["name"].as_field_group()


def test_help_stays_beside_the_error_and_both_describe_the_control() -> None:
    form = Example({"agree": "on"})
    html = form["name"].as_field_group()
    assert 'aria-invalid="true"' in html
    described = re.search(r'<input[^>]*aria-describedby="([^"]+)"', html)
    assert described is not None
    for name in described[1].split():
        assert f'id="{name}"' in html
    assert "Staff see &lt;it&gt;." in html
    assert "This field is required." in html


def test_a_group_of_choices_is_a_fieldset_with_a_legend() -> None:
    html = Example()["kind"].as_field_group()
    assert html.count("<legend") == 1
    assert "<fieldset" in html


def test_a_password_can_be_looked_at() -> None:
    html = Example()["password"].as_field_group()
    assert 'aria-controls="id_password"' in html
    assert "data-show-password" in html
