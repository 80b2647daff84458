"""SNS topics, who may publish to them and who listens."""

from __future__ import annotations

import json
from typing import Any

from localcloud.cloudformation.kinds.base import Context, Kind, Made


class TopicPolicy(Kind):
    """The policy of one topic or of several; it goes with them."""

    def make(self, context: Context, properties: dict[str, Any]) -> Made:
        name = context.name()
        document = json.dumps(properties["PolicyDocument"])
        for topic in properties["Topics"]:
            context.client("sns").set_topic_attributes(
                TopicArn=topic, AttributeName="Policy", AttributeValue=document
            )
        context.born(name)
        return Made(name, {"Id": name})


KINDS = [
    Kind(
        "AWS::SNS::Topic",
        "sns",
        "create_topic",
        ref="Made.TopicArn",
        name="TopicName",
        name_limit=256,
        rename={"TopicName": "Name"},
        attributes={"TopicArn": "Id", "TopicName": "Properties.TopicName"},
        delete=("delete_topic", {"TopicArn": "Id"}),
    ),
    TopicPolicy(
        "AWS::SNS::TopicPolicy",
        "sns",
        "set_topic_attributes",
        ref="",
        delete=None,
        attributes={"Id": ""},
    ),
    Kind(
        "AWS::SNS::Subscription",
        "sns",
        "subscribe",
        ref="Made.SubscriptionArn",
        fixed={"ReturnSubscriptionArn": True},
        tagged=False,
        attributes={"Arn": "Id"},
        delete=("unsubscribe", {"SubscriptionArn": "Id"}),
    ),
]
