"""Forms that are not a model's."""

from allauth.account.forms import LoginForm


class SignInForm(LoginForm):
    """allauth's, which also takes Django's field name `username`: scripts and password managers know that one."""

    def __init__(self, *args, **kwargs):
        data = kwargs.get("data")
        if data is not None and "login" not in data and "username" in data:
            kwargs["data"] = data.copy()
            kwargs["data"]["login"] = data["username"]
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""  # allauth's offers a mail, which this product does not send
        for name in ("login", "password"):
            self.fields[name].widget.attrs.pop("placeholder", None)  # it would repeat the label
