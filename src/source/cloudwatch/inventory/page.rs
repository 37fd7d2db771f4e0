//! One page of `DescribeNetworkInterfaces`. Names of elements as in the EC2 API reference, `NetworkInterface`. What somebody wrote into tags and
//! descriptions is passed on as it is; [`Interface::bounded`] cuts it.

use std::net::IpAddr;

use roxmltree::Node;

use super::super::preflight::{child, parsed, text_of};
use crate::enrich::Interface;

/// Reads an answer: the interfaces, and the token of the next page.
pub(super) fn read(text: &str) -> Result<(Vec<Interface>, Option<String>), String> {
    let document = parsed(text)?;
    let root = document.root_element();
    if root.tag_name().name() != "DescribeNetworkInterfacesResponse" {
        return Err(format!("unexpected answer {:?}", root.tag_name().name()));
    }
    let interfaces = items(root, "networkInterfaceSet").filter_map(|item| interface(item).bounded()).collect();
    let token = Some(text_of(root, "nextToken")).filter(|token| !token.is_empty());
    Ok((interfaces, token))
}

fn interface(item: Node<'_, '_>) -> Interface {
    let text = |name| text_of(item, name);
    let of = |set: &str, name| child(item, set).map(|set| text_of(set, name)).unwrap_or_default();
    let tag = |wanted: &str| {
        items(item, "tagSet").find(|tag| text_of(*tag, "key") == wanted).map(|tag| text_of(tag, "value"))
    };
    let mut addresses: Vec<IpAddr> = Vec::new();
    let mut public: Vec<IpAddr> = Vec::new();
    let add = |list: &mut Vec<IpAddr>, text: &str| {
        if let Ok(address) = text.parse::<IpAddr>()
            && !list.contains(&address)
        {
            list.push(address);
        }
    };
    // The primary one stands by itself, with its public one beside it; all stand in the set.
    add(&mut addresses, &text("privateIpAddress"));
    add(&mut public, &of("association", "publicIp"));
    for own in items(item, "privateIpAddressesSet") {
        add(&mut addresses, &text_of(own, "privateIpAddress"));
        let stands_for = child(own, "association").map(|association| text_of(association, "publicIp"));
        add(&mut public, &stands_for.unwrap_or_default());
    }
    for own in items(item, "ipv6AddressesSet") {
        add(&mut addresses, &text_of(own, "ipv6Address"));
    }
    // Only who made it in the name of somebody else is worth a word.
    let requester = if text("requesterManaged") == "true" { text("requesterId") } else { String::new() };
    Interface {
        id: text("networkInterfaceId"),
        name: tag("Name").unwrap_or_default(),
        description: text("description"),
        kind: text("interfaceType"),
        status: text("status"),
        instance: of("attachment", "instanceId"),
        requester,
        account: text("ownerId"),
        vpc: text("vpcId"),
        subnet: text("subnetId"),
        zone: text("availabilityZone"),
        addresses,
        public,
        groups: items(item, "groupSet").map(|group| (text_of(group, "groupId"), text_of(group, "groupName"))).collect(),
    }
}

/// The items of a set. What is beyond all bounds is passed over here, before it takes memory.
fn items<'a, 'input: 'a>(
    node: Node<'a, 'input>,
    set: &str,
) -> impl Iterator<Item = Node<'a, 'input>> + use<'a, 'input> {
    let set = child(node, set);
    set.into_iter().flat_map(|set| set.children().filter(Node::is_element)).take(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeNetworkInterfacesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>fc45294c</requestId><networkInterfaceSet>
<item><networkInterfaceId>eni-0536faba73134a9b7</networkInterfaceId><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>
<availabilityZone>us-west-1a</availabilityZone><description>Primary network interface</description><ownerId>622676721278</ownerId>
<requesterId>AIDAEXAMPLE</requesterId><requesterManaged>false</requesterManaged><status>in-use</status><macAddress>02:81:60:cb:27:37</macAddress>
<privateIpAddress>172.16.0.178</privateIpAddress><sourceDestCheck>true</sourceDestCheck>
<groupSet><item><groupId>sg-1</groupId><groupName>cache</groupName></item><item><groupId>sg-2</groupId><groupName>default</groupName></item></groupSet>
<attachment><attachmentId>eni-attach-1</attachmentId><instanceId>i-0abc</instanceId><deviceIndex>0</deviceIndex></attachment>
<association><publicIp>203.0.113.7</publicIp><ipOwnerId>amazon</ipOwnerId></association>
<tagSet><item><key>team</key><value>x</value></item><item><key>Name</key><value>cache-1 &amp; co</value></item></tagSet>
<privateIpAddressesSet><item><privateIpAddress>172.16.0.178</privateIpAddress><primary>true</primary><association><publicIp>203.0.113.7</publicIp></association></item>
<item><privateIpAddress>172.16.0.179</privateIpAddress><primary>false</primary><association><publicIp>203.0.113.8</publicIp></association></item></privateIpAddressesSet>
<ipv6AddressesSet><item><ipv6Address>2001:db8::1</ipv6Address></item></ipv6AddressesSet><interfaceType>interface</interfaceType></item>
<item><networkInterfaceId>eni-0b</networkInterfaceId><description>ELB app/web/1</description><requesterId>amazon-elb</requesterId>
<requesterManaged>true</requesterManaged><status>available</status><privateIpAddress>not one</privateIpAddress></item>
<item><networkInterfaceId>vpc-0b</networkInterfaceId></item>
</networkInterfaceSet><nextToken>more</nextToken></DescribeNetworkInterfacesResponse>"#;

    #[test]
    fn an_answer_is_read() {
        let (found, token) = read(ANSWER).unwrap();
        assert_eq!(token.as_deref(), Some("more"));
        let [first, second] = &found[..] else { panic!("{found:?}") };
        assert_eq!(first.says(), "cache-1 & co, i-0abc, interface, \"Primary network interface\"");
        assert_eq!(first.place(), "public 203.0.113.7, 203.0.113.8, vpc-1, subnet-1, us-west-1a");
        assert_eq!(first.guarded(), "sg-1 cache, sg-2 default");
        assert_eq!(first.addresses.len(), 3);
        assert_eq!(second.says(), "\"ELB app/web/1\", available, made by amazon-elb");
        assert!(second.addresses.is_empty());
    }

    #[test]
    fn hostile_answers_are_refused_or_bounded() {
        for text in [
            "",
            "<",
            "<html/>",
            "<DescribeFlowLogsResponse/>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><DescribeNetworkInterfacesResponse/>",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = format!("<DescribeNetworkInterfacesResponse>{}", "<a>".repeat(50_000));
        assert!(read(&deep).is_err());
        let many = "<item><groupId>sg-1</groupId></item>".repeat(5_000);
        let many = ANSWER.replace("<item><groupId>sg-1</groupId><groupName>cache</groupName></item>", &many);
        let many = many.replace("Primary network interface", &"x".repeat(100_000));
        let (found, _) = read(&many).unwrap();
        assert_eq!((found[0].groups.len(), found[0].description.len()), (100, 256));
    }
}
